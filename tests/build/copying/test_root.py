"""The file system of a state, asked without making it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.build.copying.roots import d, f, gone, h, root, s

from millefeuille.layers.following import TooManyLinks
from millefeuille.store.filetree import DamagedContent
from millefeuille.store.images import LayerRecord
from millefeuille.store.store import Store

BASE = [d("etc", 0o750, 3, 4), f("etc/group", b"staff:x:50:\n"), f("etc/passwd", b"root:x:0:0::/:\n")]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def test_an_empty_root_is_an_empty_directory(store: Store) -> None:
    with root(store) as tree:
        inode = tree.lookup(b"")
        assert inode is not None and inode.is_directory and inode.entry.mode == 0o755
        assert tree.lookup(b"etc") is None and tree.children(b"") == [] and tree.read(b"/etc/passwd") is None


def test_upper_layers_win_and_hide(store: Store) -> None:
    with root(store, BASE, [f("etc/passwd", b"new"), gone("etc/group"), h("again", "etc/passwd")]) as tree:
        assert tree.read(b"/etc/passwd") == b"new" == tree.read(b"again")
        assert tree.lookup(b"etc/group") is None
        etc = tree.lookup(b"etc")
        assert etc is not None and (etc.entry.mode, etc.entry.uid, etc.layer) == (0o750, 3, 0)
        one, other = tree.lookup(b"again"), tree.lookup(b"etc/passwd")
        assert one is not None and other is not None and one[1:] == other[1:]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (b"/run/x", b"var/run/x"), (b"run", b"var/run"), (b"up/etc/passwd", b"etc/passwd"),
        (b"../../etc", b"etc"), (b"run/../x", b"x"), (b"nowhere/deep/er", b"gone/deep/er"), (b"/", b""),
    ],
)  # fmt: skip
def test_links_are_followed_inside(store: Store, path: bytes, found: bytes) -> None:
    links = [s("run", "/var/run"), s("up", "../../.."), s("nowhere", "gone"), d("var"), d("var/run")]
    with root(store, BASE, links) as tree:
        assert tree.resolve(path) == found


def test_a_link_at_the_end_is_followed_on_request_only(store: Store) -> None:
    with root(store, [s("a", "b"), s("c", "c")]) as tree:
        assert tree.resolve(b"a", leaf=False) == b"a"
        assert tree.resolve(b"a/", leaf=False) == b"b"
        with pytest.raises(TooManyLinks):
            tree.find(b"c")


def test_255_links_in_a_row_are_followed(store: Store) -> None:
    chain = [s(f"l{n}", f"l{n + 1}") for n in range(256)]
    with root(store, chain, [f("l256", b"end")]) as tree:
        assert tree.read(b"l1") == b"end"
        with pytest.raises(TooManyLinks):
            tree.read(b"l0")


def test_what_is_read_is_held_against_its_hash(store: Store, tmp_path: Path) -> None:
    with root(store, BASE) as tree:
        records: list[LayerRecord] = list(tree._layers)
        path = store.disk.tar(records[0].diff_id)
        os.chmod(path, 0o600)
        data = Path(path).read_bytes()
        Path(path).write_bytes(data.replace(b"root:x:0", b"root:x:7"))
        with pytest.raises(DamagedContent):
            tree.read(b"etc/passwd")
        assert tree.read(b"etc/group") == b"staff:x:50:\n"
