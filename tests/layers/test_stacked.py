"""Lookups in a stack of layers, against the tree that is made of all of it."""

from __future__ import annotations

import stat
from collections.abc import Iterator

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from millefeuille.layers.entry import DIRECTORY, FILE, SYMLINK
from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.refusal import BrokenLink
from millefeuille.layers.stacked import Inode, Stack
from millefeuille.layers.tar import TarError, TarParser
from millefeuille.layers.tree import Node, merge
from millefeuille.testing import rawtars
from millefeuille.testing.trees import walk

NAMES = [b"a", b"b", b"a-", b"a0"]  # the last two sort before and behind what is in the first
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(b"/".join)
ENTRY = st.one_of(
    st.tuples(st.just("file"), PATHS, st.integers(0, 3)),
    st.tuples(st.just("directory"), st.one_of(PATHS, st.just(b"")), st.sampled_from([0o755, 0o700, 0o1777])),
    st.tuples(st.just("symlink"), PATHS, st.sampled_from([b"/a", b"b", b"../c", b"b/c", b"nowhere", b"."])),
    st.tuples(st.just("hardlink"), PATHS, PATHS),
    st.tuples(st.just("whiteout"), PATHS, st.none()),
    st.tuples(st.just("opaque"), st.one_of(PATHS, st.just(b"")), st.none()),
)
LAYERS = st.lists(st.lists(ENTRY, max_size=8), min_size=0, max_size=4)
_KINDS = {stat.S_IFREG: FILE, stat.S_IFDIR: DIRECTORY, stat.S_IFLNK: SYMLINK}


def _layer(entries: list[tuple[str, bytes, object]]) -> LayerIndex:
    builder = IndexBuilder()
    parser = TarParser(builder)
    parser.feed(rawtars.archive(*(_entry(*entry) for entry in entries)))
    parser.finish()
    return LayerIndex(builder.finish())


def _entry(kind: str, path: bytes, what: object) -> bytes:
    parent, _, leaf = path.rpartition(b"/")
    if kind == "file":
        assert isinstance(what, int)
        return rawtars.file(path, b"x" * what)
    if kind == "directory":
        assert isinstance(what, int)
        return rawtars.directory((path or b".") + b"/", mode=what)
    if kind == "whiteout":
        return rawtars.file((parent + b"/" if parent else b"") + b".wh." + leaf)
    if kind == "opaque":
        return rawtars.file((path + b"/" if path else b"") + b".wh..wh..opq")
    assert isinstance(what, bytes)
    return rawtars.symlink(path, what) if kind == "symlink" else rawtars.hardlink(path, what)


def _of_node(node: Node) -> tuple[object, ...]:
    told = (node.layer, node.entry) if node.entry >= 0 else ()
    size = node.size if stat.S_ISREG(node.mode) else 0
    kind = _KINDS[stat.S_IFMT(node.mode)]
    return (kind, stat.S_IMODE(node.mode), node.uid, node.mtime, size, node.link, *told)


def _of_inode(inode: Inode) -> tuple[object, ...]:
    entry = inode.entry
    told = (inode.layer, inode.number) if inode.number >= 0 else ()
    return (entry.kind, entry.mode, entry.uid, entry.mtime, entry.size, entry.link, *told)


def _all(stack: Stack, path: bytes = b"") -> Iterator[Inode]:
    for inode in stack.children(path):
        yield inode
        if inode.is_directory:
            yield from _all(stack, inode.entry.path)


@settings(max_examples=400, deadline=None)
@given(LAYERS, st.lists(PATHS, max_size=4))
def test_any_stack_has_what_its_tree_has(
    layers: list[list[tuple[str, bytes, object]]], others: list[bytes]
) -> None:
    try:
        indexes = [_layer(entries) for entries in layers]
        nodes = dict(walk(merge(indexes)))
    except (TarError, BrokenLink):
        assume(False)
    found = {inode.entry.path: inode for inode in _all(Stack(indexes))}
    stack = Stack(indexes)
    root = stack.lookup(b"")
    assert root is not None
    assert {path: _of_inode(inode) for path, inode in {**found, b"": root}.items()} == {
        path: _of_node(node) for path, node in nodes.items()
    }
    for path in [*nodes, *others]:
        inode = stack.lookup(path)
        assert (inode and _of_inode(inode)) == (_of_node(nodes[path]) if path in nodes else None), path


def _is_broken(indexes: list[LayerIndex]) -> bool:
    """Whether a hard link of these layers leads nowhere, as who brings in an image looks for it."""
    stack = Stack(indexes)
    try:
        for number, index in enumerate(indexes):
            if index.lower_links:
                stack.check_links(number)
    except BrokenLink:
        return True
    return False


@settings(max_examples=400, deadline=None)
@given(LAYERS)
def test_broken_links_are_found_without_the_tree(layers: list[list[tuple[str, bytes, object]]]) -> None:
    try:
        indexes = [_layer(entries) for entries in layers]
    except TarError:
        assume(False)
    try:
        merge(indexes)
    except BrokenLink:
        assert _is_broken(indexes)
    else:
        assert not _is_broken(indexes)


def test_children_are_sorted_by_their_names() -> None:
    stack = Stack([_layer([("file", b"a/x", 1), ("file", b"a-", 1), ("file", b"a0", 1), ("file", b"A", 1)])])
    assert [inode.entry.path for inode in stack.children(b"")] == [b"A", b"a", b"a-", b"a0"]


def test_many_layers_share_one_directory() -> None:
    low = _layer([("file", b"a/x", 1)])
    stack = Stack([low, *(_layer([("file", b"b/%d" % n, 1)]) for n in range(20))])
    assert [inode.entry.path for inode in stack.children(b"a")] == [b"a/x"]
    assert len(stack.children(b"b")) == 20


def test_a_lookup_reads_few_names_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [_layer([("file", b"d%d/%d" % (n % 10, n + m), 0) for n in range(2000)]) for m in range(5)]
    stack, read = Stack(layers), 0
    path = LayerIndex.path

    def counted(index: LayerIndex, number: int) -> bytes:
        nonlocal read
        read += 1
        return path(index, number)

    monkeypatch.setattr(LayerIndex, "path", counted)
    assert stack.lookup(b"d3/503") is not None
    assert stack.lookup(b"nowhere/at/all") is None
    assert read < 600  # of 10 000
