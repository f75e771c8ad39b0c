"""Both drivers, and the fake, keep the contract."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contracts.snapshotter import Root, SnapshotterContract
from tests.snapshots.stacks import Stacks

from millefeuille.runtime.mountspace import privately
from millefeuille.snapshots import attach
from millefeuille.snapshots.erofs.attached import Attached
from millefeuille.snapshots.erofs.driver import ErofsSnapshotter
from millefeuille.snapshots.overlay.driver import OverlaySnapshotter
from millefeuille.snapshots.overlay.marks import marks
from millefeuille.snapshots.snapshotter import Mount, Snapshotter, close_all, let_go
from millefeuille.testing.memory_snapshots import MemorySnapshotter
from millefeuille.testing.rawtars import archive, file


class RealRoot:
    """A root mounted in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def names(self, path: str = "") -> list[str]:
        return sorted(os.listdir(self._directory / path))

    def read(self, path: str) -> bytes:
        return (self._directory / path).read_bytes()

    def write(self, path: str, data: bytes) -> None:
        (self._directory / path).write_bytes(data)

    def make_directory(self, path: str) -> None:
        (self._directory / path).mkdir()

    def unlink(self, path: str) -> None:
        (self._directory / path).unlink()

    def mode(self, path: str) -> int:
        return (self._directory / path).lstat().st_mode

    def is_same(self, path: str, other: str) -> bool:
        return os.path.samestat((self._directory / path).lstat(), (self._directory / other).lstat())


class RealBench:
    """A driver over chains on the disk; what it gives is mounted below the test's own directory."""

    def __init__(self, directory: Path, driver: str) -> None:
        (directory / "chains").mkdir()
        self._directory = directory
        self._stacks = Stacks(directory / "chains")
        self._attached: list[str] = []
        self._mounts: list[tuple[Mount, ...]] = []
        roots = str(directory / "snapshots")
        self.shared = Attached(str(directory / "run")) if driver == "shared" else None
        self.snapshots: Snapshotter = (
            OverlaySnapshotter(roots, self._stacks.overlay, marks=marks())
            if driver == "overlay"
            else ErofsSnapshotter(roots, self._stacks.erofs, self.shared)
        )
        self.chain = self._stacks.add

    def mount(self, mounts: tuple[Mount, ...]) -> Root:
        target = self._directory / f"mounted-{len(self._mounts)}"
        target.mkdir()
        self._mounts.append(mounts)
        try:
            self._attached += attach.attach(mounts, str(target))
        finally:
            close_all(mounts)
        return RealRoot(target)

    def close(self) -> None:
        attach.detach(self._attached)
        for mounts in self._mounts:
            let_go(mounts)
        if self.shared is not None:
            self.shared.release_idle()


class MemoryBench:
    """The fake."""

    def __init__(self, directory: Path) -> None:
        stacks = Stacks(directory)
        self.snapshots = MemorySnapshotter(stacks.tree)
        self.chain = stacks.add

    def mount(self, mounts: tuple[Mount, ...]) -> Root:
        (mount,) = mounts
        return self.snapshots.mounted(mount)


def real(directory: Path, driver: str) -> Iterator[RealBench]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    before = sorted(os.listdir("/proc/self/fd"))
    bench = RealBench(directory, driver)
    yield bench
    bench.close()
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert str(directory) not in Path("/proc/self/mounts").read_text()


@pytest.mark.walk
class TestErofs(SnapshotterContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[RealBench]:
        yield from real(tmp_path, "erofs")


@pytest.mark.walk
class TestErofsShared(SnapshotterContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[RealBench]:
        yield from real(tmp_path, "shared")


@pytest.mark.walk
class TestOverlay(SnapshotterContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[RealBench]:
        yield from real(tmp_path, "overlay")


class TestMemory(SnapshotterContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> MemoryBench:
        return MemoryBench(tmp_path)


@pytest.mark.walk
@pytest.mark.parametrize("driver", ["erofs", "shared", "overlay"])
@pytest.mark.parametrize("layers", [1, 3])
def test_mounts_given_outside_are_made_in_a_namespace_of_its_own(
    driver: str, layers: int, tmp_path: Path
) -> None:
    """As every container does."""
    for bench in real(tmp_path, driver):
        chain = bench.chain(*(archive(file(b"f%d" % number, b"1")) for number in range(layers)))
        mounts = bench.snapshots.prepare("key", chain)

        def inside(bench: RealBench = bench, mounts: tuple[Mount, ...] = mounts) -> list[str]:
            target = tmp_path / "private"
            target.mkdir()
            attach.attach(mounts, str(target))
            return sorted(os.listdir(target))

        try:
            assert privately(inside) == [f"f{number}" for number in range(layers)]
        finally:
            close_all(mounts)
            let_go(mounts)
        assert os.listdir(tmp_path / "private") == []


@pytest.mark.walk
def test_extracted_layers_in_a_user_namespace(tmp_path: Path) -> None:
    """Overlayfs keeps its marks elsewhere there; all the rest is the same."""
    if os.geteuid() != 0:
        pytest.skip("mapping this user needs root")
    command = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-m", "pytest", "-v"]
    place = f"--basetemp={tmp_path}/inside"
    suite = f"{__file__}::TestOverlay"
    done = subprocess.run([*command, "-p", "no:cacheprovider", place, suite], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout and "skipped" not in done.stdout
