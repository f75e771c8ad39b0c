"""One mount for all that use a chain: shared, let go, and found again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.snapshots.erofs.trees import Layers, directory

from millefeuille import files, kernel
from millefeuille.runtime.mountspace import privately
from millefeuille.snapshots.chain import Chain
from millefeuille.snapshots.erofs.attached import Attached
from millefeuille.testing import file_faults
from millefeuille.testing.file_faults import KILL, Fault

pytestmark = pytest.mark.walk


class Bench:
    """A chain, and a directory for its mount."""

    def __init__(self, top: Path) -> None:
        layers = Layers(top)
        self.chain: Chain = layers.chain(directory({b"a": layers.file(b"lower")}))
        self.run = top / "run"
        self.attached = Attached(str(self.run))

    @property
    def root(self) -> Path:
        return self.run / self.chain.id.hex / "root"

    def mounts(self) -> int:
        """How often something is mounted below the directory."""
        return Path("/proc/self/mounts").read_text().count(str(self.run))


def read(mount: int) -> tuple[bytes, int]:
    """What a mount shows, and of which file system."""
    descriptor = os.open("a", os.O_RDONLY, dir_fd=mount)
    with open(descriptor, "rb") as file:
        return file.read(), os.fstat(mount).st_dev


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    before = sorted(os.listdir("/proc/self/fd"))
    bench = Bench(tmp_path)
    yield bench
    bench.attached.release_idle()
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert bench.mounts() == 0


def close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def test_users_share_one_file_system(bench: Bench) -> None:
    one, first = bench.attached.acquire(bench.chain)
    two, second = bench.attached.acquire(bench.chain)
    assert read(one)[0] == b"lower"
    assert read(one) == read(two)
    assert bench.mounts() == 1
    close(one, two, first, second)


def test_kept_while_anybody_uses_it(bench: Bench) -> None:
    one, first = bench.attached.acquire(bench.chain)
    two, second = bench.attached.acquire(bench.chain)
    close(one, first)
    assert bench.attached.release_idle() == []
    assert bench.mounts() == 1
    close(second)
    assert bench.attached.release_idle() == [bench.chain.id.hex]
    assert bench.mounts() == 0
    assert os.listdir(bench.run) == ["lock"]
    assert read(two)[0] == b"lower", "what was taken stays"
    close(two)
    assert bench.attached.release_idle() == []


def test_a_process_that_inherits_the_lock_uses_the_chain(bench: Bench) -> None:
    mount, hold = bench.attached.acquire(bench.chain)
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    close(mount, hold)
    assert bench.attached.release_idle() == []
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert bench.attached.release_idle() == [bench.chain.id.hex]


def test_found_after_everybody_was_killed(bench: Bench) -> None:
    child = os.fork()
    if child == 0:
        bench.attached.acquire(bench.chain)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert bench.mounts() == 1
    device = os.stat(bench.root).st_dev
    mount, hold = bench.attached.acquire(bench.chain)
    assert read(mount) == (b"lower", device)
    close(mount, hold)


def test_killed_anywhere(bench: Bench) -> None:
    killed = 0
    for occurrence in range(1, 100):
        child = os.fork()
        if child == 0:
            files.hook = file_faults.hook(Fault(operation="*", site="", occurrence=occurrence, effect=KILL))
            bench.attached.acquire(bench.chain)
            bench.attached.release_idle()
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            break
        killed += 1
        assert bench.mounts() <= 1
        if occurrence % 2:
            mount, hold = bench.attached.acquire(bench.chain)
            assert read(mount)[0] == b"lower"
            assert bench.mounts() == 1
            close(mount, hold)
        bench.attached.release_idle()
        assert bench.mounts() == 0
        assert os.listdir(bench.run) == ["lock"]
    assert killed > 8


def test_the_record_outlives_the_mount(bench: Bench) -> None:
    mount, hold = bench.attached.acquire(bench.chain)
    kernel.unmount(str(bench.root), detach=True)  # as after a reboot onto a directory that is kept
    again, second = bench.attached.acquire(bench.chain)
    assert bench.mounts() == 1
    assert read(again)[0] == b"lower"
    close(mount, hold, again, second)


def test_files_that_were_made_again_are_mounted_again(bench: Bench) -> None:
    mount, hold = bench.attached.acquire(bench.chain)
    path = Path(bench.chain.metadata)
    (path.parent / "again").write_bytes(path.read_bytes())
    (path.parent / "again").rename(path)
    again, second = bench.attached.acquire(bench.chain)
    assert read(again)[1] != read(mount)[1]
    assert read(mount)[0] == b"lower"
    assert bench.mounts() == 1
    close(mount, hold, again, second)


def test_attached_for_all_from_a_namespace_of_ones_own(bench: Bench) -> None:
    mount, hold = privately(lambda: bench.attached.acquire(bench.chain))
    assert bench.mounts() == 1
    other, second = bench.attached.acquire(bench.chain)
    assert read(mount) == read(other)
    close(mount, other, hold, second)
    assert privately(bench.attached.release_idle) == [bench.chain.id.hex]
    assert bench.mounts() == 0
