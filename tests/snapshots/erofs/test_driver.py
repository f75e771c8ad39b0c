"""Roots on chains: writable, read-only, on nothing; and what is left of them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.snapshots.erofs.trees import Layers, directory

from millefeuille import kernel
from millefeuille.errors import NotFound
from millefeuille.oci.digest import Digest
from millefeuille.snapshots import attach
from millefeuille.snapshots.chain import Chain
from millefeuille.snapshots.erofs.driver import ErofsSnapshotter, InvalidKey, SnapshotExists, SnapshotNotFound
from millefeuille.snapshots.erofs.mount import TruncatedLayer
from millefeuille.snapshots.snapshotter import Mount, close_all

pytestmark = pytest.mark.walk


class Bench:
    """A snapshotter over one chain, and a place to attach its roots."""

    def __init__(self, top: Path) -> None:
        layers = Layers(top)
        children = {b"a": layers.file(b"lower"), b"d": directory({b"b": layers.file(b"deep")})}
        self.chain = layers.chain(directory(children, mode=0o1751, uid=5, gid=6))
        self.top = top
        self.root = top / "root"
        self.root.mkdir()
        self.snapshots = ErofsSnapshotter(str(top / "snapshots"), self.find)
        self._attached: list[str] = []

    def find(self, id: Digest) -> Chain:
        if id != self.chain.id:
            raise NotFound("no such chain")
        return self.chain

    def attach(self, mounts: tuple[Mount, ...]) -> None:
        try:
            self._attached += attach.attach(mounts, str(self.root))
        finally:
            close_all(mounts)

    def detach(self) -> None:
        attach.detach(self._attached)
        self._attached.clear()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    before = sorted(os.listdir("/proc/self/fd"))
    bench = Bench(tmp_path)
    yield bench
    bench.detach()
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


def write_and_check(bench: Bench) -> None:
    assert (bench.root / "a").read_text() == "lower"
    (bench.root / "a").write_text("upper")
    (bench.root / "d/b").unlink()
    (bench.root / "new").touch()
    assert sorted(os.listdir(bench.root)) == ["a", "d", "new"]
    assert os.listdir(bench.root / "d") == []


def test_a_writable_root(bench: Bench) -> None:
    bench.attach(bench.snapshots.prepare("one", bench.chain.id))
    status = bench.root.stat()
    assert (status.st_mode & 0o7777, status.st_uid, status.st_gid) == (0o1751, 5, 6)
    write_and_check(bench)
    bench.detach()
    # What was written is there when it is mounted again, and in no other root.
    bench.attach(bench.snapshots.mounts("one"))
    assert (bench.root / "a").read_text() == "upper"
    bench.detach()
    bench.attach(bench.snapshots.prepare("two", bench.chain.id))
    assert (bench.root / "a").read_text() == "lower"


def test_where_the_kernel_takes_no_descriptor(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    configure = kernel.configure

    def older(context: int, key: str, value: str | int | None = None) -> None:
        if key == "lowerdir+":
            raise OSError(errno.EINVAL, "Invalid argument")
        configure(context, key, value)

    monkeypatch.setattr(kernel, "configure", older)
    bench.attach(bench.snapshots.prepare("one", bench.chain.id))
    write_and_check(bench)


def test_a_read_only_root(bench: Bench) -> None:
    bench.attach(bench.snapshots.view("look", bench.chain.id))
    assert (bench.root / "d/b").read_text() == "deep"
    with pytest.raises(OSError, match="Read-only"):
        (bench.root / "new").touch()


def test_a_root_on_nothing(bench: Bench) -> None:
    bench.attach(bench.snapshots.prepare("scratch", None))
    assert os.listdir(bench.root) == []
    (bench.root / "new").touch()
    assert os.listdir(bench.root) == ["new"]


def test_keys(bench: Bench) -> None:
    snapshots = bench.snapshots
    close_all(snapshots.view("taken", bench.chain.id))
    with pytest.raises(SnapshotExists):
        snapshots.prepare("taken", bench.chain.id)
    with pytest.raises(SnapshotNotFound):
        snapshots.mounts("absent")
    for key in ("", ".", "..", "a/b", "-x"):
        with pytest.raises(InvalidKey):
            snapshots.prepare(key, bench.chain.id)
    snapshots.remove("taken")
    snapshots.remove("taken")
    assert os.listdir(bench.top / "snapshots") == []


def test_what_fails_leaves_nothing(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.snapshots.prepare("x", Digest.of(b"another"))
    Path(bench.chain.layers[0].path).write_bytes(b"short")
    with pytest.raises(TruncatedLayer, match="has 5 bytes instead of"):
        bench.snapshots.view("x", bench.chain.id)
    assert os.listdir(bench.top / "snapshots") == []


def test_what_a_crash_left_does_not_show(bench: Bench) -> None:
    left = bench.top / "snapshots/one/upper"
    left.mkdir(parents=True)
    (left / "old").touch()
    bench.attach(bench.snapshots.prepare("one", bench.chain.id))
    assert sorted(os.listdir(bench.root)) == ["a", "d"]


def test_a_refused_mount_says_why(bench: Bench) -> None:
    mount = Mount(type="overlay", source="overlay", options=(("lowerdir", "/nowhere/at/all"),))
    with pytest.raises(attach.MountFailed, match=r"mount overlay: .*No such file"):
        attach.attach((mount,), str(bench.root))
    fine = Mount(type="tmpfs", source="tmpfs")
    with pytest.raises(attach.MountFailed, match=r"attach tmpfs at .*/absent"):
        attach.attach((fine, Mount(type="tmpfs", source="tmpfs", target="/absent")), str(bench.root))
