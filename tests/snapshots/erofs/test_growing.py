"""Chains of a build: shown by thin images over a merged one, as the merged image of all shows them."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.snapshots.facts import Facts, difference, expected, shown
from tests.snapshots.stacks import index_of
from tests.snapshots.stored import bring
from tests.store.memory import Memory

from millefeuille import kernel
from millefeuille.layers.tree import Merger
from millefeuille.oci.digest import Digest
from millefeuille.snapshots import attach
from millefeuille.snapshots.erofs import growing
from millefeuille.snapshots.erofs.attached import Attached
from millefeuille.snapshots.erofs.driver import ErofsSnapshotter
from millefeuille.snapshots.erofs.growing import Growing
from millefeuille.snapshots.erofs.stored import DamagedChain, stored_chain
from millefeuille.snapshots.erofs.thin import thin_tree
from millefeuille.snapshots.snapshotter import close_all, let_go
from millefeuille.store.store import Store
from millefeuille.testing.rawtars import archive, directory, file, hardlink, header, pax, symlink, xattr

BASE = archive(
    directory(b"./", mode=0o751, uid=5, mtime=77), directory(b"d", uid=7), file(b"d/a", b"A" * 600),
    file(b"d/b", b"B"), hardlink(b"d/c", b"d/b"), directory(b"d/e"), file(b"d/e/f", b"F"),
    symlink(b"s", b"d"), file(b"x", b"X"),
)  # fmt: skip


class Bench:
    """A snapshotter of a build, over a store."""

    def __init__(self, top: Path, store: Store, memory: Memory) -> None:
        self.store = store
        self.memory = memory
        self.made: list[Growing] = []
        self.attached = Attached(str(top / "run/chains"))
        self.snapshots = ErofsSnapshotter(
            str(top / "snapshots"), partial(stored_chain, store), self.attached, grown=self.grown
        )

    def grown(self, whole: growing.Whole) -> Growing:
        self.made.append(Growing(self.store, whole))
        return self.made[-1]

    def bring(self, *tars: bytes) -> list[Digest]:
        """An image of these layers, of which the first is merged; the chain ID after each."""
        chains = bring(self.store, self.memory, "app:1", *tars)
        stored_chain(self.store, chains[0])
        return chains

    def merged(self, chain: Digest) -> bool:
        return os.path.exists(self.store.disk.chain(chain))

    def show(self, chain: Digest) -> Facts:
        mounts = self.snapshots.view("view", chain)
        try:
            root = attach.opened(mounts)
        finally:
            close_all(mounts)
            self.snapshots.remove("view")
        try:
            top = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=root)
            try:
                return shown(top, clamped=False)
            finally:
                os.close(top)
        finally:
            os.close(root)
            let_go(mounts)

    def hold(self, *tars: bytes, thin: bool = True) -> None:
        """Hold that the last chain is shown as it has to be, and by thin images."""
        chain = self.bring(*tars)[-1]
        found = self.show(chain)
        merger = Merger()
        for tar in tars:
            merger.add(index_of(tar))
        assert difference(found, expected(merger.root, tars, clamped=False)) == []
        assert self.merged(chain) != thin


@pytest.fixture
def bench(tmp_path: Path, store: Store, memory: Memory) -> Iterator[Bench]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    made = Bench(tmp_path, store, memory)
    yield made
    for each in made.made:
        each.close()
    made.attached.release_idle()
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


THIN = {
    "nothing": archive(),
    "a file": archive(file(b"new", b"N" * 5000)),
    "over a file": archive(directory(b"d", uid=8, mtime=9), file(b"d/a", b"other")),
    "whiteout": archive(directory(b"d"), file(b"d/.wh.a")),
    "whiteout of a directory": archive(directory(b"d"), file(b"d/.wh.e")),
    "directory anew": archive(file(b".wh.d"), directory(b"d"), file(b"d/n", b"N")),
    "directory anew, the mark last": archive(directory(b"d"), file(b"d/n", b"N"), file(b".wh.d")),
    "opaque": archive(directory(b"d"), file(b"d/n", b"N"), file(b"d/.wh..wh..opq")),
    "opaque, and a whiteout in it": archive(directory(b"d"), file(b"d/.wh.a"), file(b"d/.wh..wh..opq")),
    "whiteout of nothing": archive(directory(b"q"), file(b"q/.wh.z"), file(b".wh.zz")),
    "file over a directory": archive(file(b"d", b"D")),
    "directory over a file": archive(directory(b"x"), file(b"x/y", b"Y")),
    "directory over a link": archive(directory(b"s"), file(b"s/y", b"Y")),
    "root": archive(directory(b"./", mode=0o700, gid=3, mtime=1), file(b"new", b"N")),
    "hard links": archive(file(b"p", b"P"), hardlink(b"q", b"p")),
    "devices": archive(header(b"null", b"3", device=(1, 3)), header(b"pipe", b"6")),
    "attributes": archive(xattr(b"user.a", b"1"), file(b"n", b"N"), xattr(b"user.b", b""), directory(b"d")),
}


@pytest.mark.parametrize("name", THIN)
def test_thin(bench: Bench, name: str) -> None:
    bench.hold(BASE, THIN[name])
    bench.hold(BASE, THIN[name], archive(directory(b"d"), file(b"d/last", b"L")))
    bench.hold(BASE, archive(directory(b"d"), directory(b"d/e"), file(b"d/e/first", b"1")), THIN[name])


def test_thin_over_a_root_with_attributes(bench: Bench) -> None:
    acl = bytes.fromhex(
        "0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20000500ffffffff"
    )
    attributes = {b"SCHILY.xattr.system.posix_acl_access": acl, b"SCHILY.xattr.user.a": b"1"}
    base = archive(pax(attributes), directory(b"./", mode=0o751), file(b"a", b"A"))
    bench.hold(base, THIN["a file"])
    bench.hold(base, THIN["a file"], archive(file(b"last", b"L")))
    bench.hold(base, THIN["root"])


MERGED = {
    "a directory that nothing names": archive(file(b"d/n", b"N")),
    "a whiteout there": archive(file(b"d/.wh.a")),
    "a hard link to a file below": archive(hardlink(b"n", b"d/a")),
    "an opaque root": archive(file(b".wh..wh..opq"), file(b"n", b"N")),
}


@pytest.mark.parametrize("name", MERGED)
def test_merged(bench: Bench, name: str) -> None:
    bench.hold(BASE, MERGED[name], thin=False)
    # What comes next stands on that.
    bench.hold(BASE, MERGED[name], archive(file(b"last", b"L")))


def random_layer(dice: random.Random) -> bytes:
    """A layer with marks and everything, that names its directories."""
    entries = []
    for top in dice.sample([b"d", b"x", b"s", b"q"], dice.randrange(1, 4)):
        kind = dice.randrange(6)
        if kind == 0:
            entries.append(file(b".wh." + top))
        if kind == 1:
            entries.append(file(top, bytes([dice.randrange(256)]) * dice.randrange(900)))
            continue
        if kind == 2:
            entries.append(symlink(top, b"d"))
            continue
        entries.append(directory(top, uid=dice.randrange(9), mtime=dice.randrange(999)))
        if dice.randrange(4) == 0:
            entries.append(file(top + b"/.wh..wh..opq"))
        for leaf in dice.sample([b"a", b"b", b"c", b"e"], dice.randrange(4)):
            path = top + b"/" + leaf
            what = dice.randrange(4)
            if what == 0:
                entries.append(file(top + b"/.wh." + leaf))
            elif what == 1:
                entries += [directory(path), file(path + b"/f", b"%d" % dice.randrange(99))]
            else:
                entries.append(file(path, b"%d" % dice.randrange(99)))
    return archive(*entries)


@pytest.mark.walk
def test_random_stacks(bench: Bench, all_cases: bool) -> None:
    for seed in range(200 if all_cases else 15):
        dice = random.Random(seed)
        layers = [random_layer(dice) for _ in range(dice.randrange(1, 8))]
        bench.hold(BASE, *layers)


def test_merged_once_there_are_many(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "_MOST", 3)
    tars = [BASE, *(archive(file(b"%d" % number, b"N")) for number in range(9))]
    for number in range(2, len(tars) + 1):
        bench.hold(*tars[:number], thin=(number - 1) % 4 != 0)


def test_root_of_a_build(bench: Bench, tmp_path: Path) -> None:
    chain = bench.bring(BASE, THIN["over a file"], THIN["whiteout"])[-1]
    mounts = bench.snapshots.prepare("root", chain)
    root = tmp_path / "root"
    root.mkdir()
    targets = attach.attach(mounts, str(root))
    close_all(mounts)
    assert sorted(os.listdir(root / "d")) == ["b", "c", "e"]
    assert (root.stat().st_mode & 0o7777, root.stat().st_uid) == (0o751, 5)
    (root / "d/b").write_text("changed")
    attach.detach(targets)
    changes = bench.snapshots.changes("root")
    assert Path(changes.upper, "d/b").read_text() == "changed"
    assert changes.lower is not None
    lower = attach.opened(changes.lower)
    assert os.stat("d/b", dir_fd=lower).st_size == 1
    os.close(lower)
    close_all(changes.lower)
    let_go(changes.lower)
    let_go(mounts)
    bench.snapshots.remove("root")


def test_where_the_kernel_lays_none_over_each_other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    configure = kernel.configure

    def older(context: int, key: str, value: str | int | None = None) -> None:
        if key == "lowerdir+" and isinstance(value, int):
            raise OSError(22, "Invalid argument")
        configure(context, key, value)

    monkeypatch.setattr(kernel, "configure", older)
    bench.hold(BASE, THIN["a file"], THIN["whiteout"], thin=False)


def test_a_damaged_layer_is_found(bench: Bench) -> None:
    chain = bench.bring(BASE, THIN["a file"])[-1]
    tar = Path(bench.store.disk.tar(Digest.of(THIN["a file"])))
    tar.chmod(0o600)
    with tar.open("ab") as end:
        end.write(b"x")
    with pytest.raises(DamagedChain):
        bench.show(chain)


def test_nothing_is_left_in_the_store(bench: Bench) -> None:
    bench.hold(BASE, THIN["a file"])
    assert os.listdir(bench.store.disk.ingest) == []


def test_marks_of_a_layer_are_not_ours(tmp_path: Path) -> None:
    tar = archive(xattr(b"trusted.overlay.opaque", b"y"), directory(b"d"), file(b"d/n", b"N"))
    root = os.open(tmp_path, os.O_PATH)
    try:
        tree = thin_tree(index_of(tar), root)
    finally:
        os.close(root)
    assert tree is None or not any(b"overlay" in name for name in (tree.children or {})[b"d"].xattrs)
