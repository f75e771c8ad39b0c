"""The merged tree against a model that knows nothing but paths, on random stacks of layers."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.refusal import BrokenLink
from millefeuille.layers.tar import TarError, TarParser
from millefeuille.layers.tree import Merger, Node, merge
from millefeuille.testing import rawtars
from millefeuille.testing.trees import walk

NAMES = [b"a", b"b", b"c"]
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(b"/".join)
ENTRY = st.one_of(
    st.tuples(st.just("file"), PATHS, st.integers(0, 3)),
    st.tuples(st.just("directory"), PATHS, st.sampled_from([0o755, 0o700, 0o1777])),
    st.tuples(st.just("symlink"), PATHS, st.sampled_from([b"/a", b"b", b"../c", b"b/c", b"nowhere", b"."])),
    st.tuples(st.just("hardlink"), PATHS, PATHS),
    st.tuples(st.just("whiteout"), PATHS, st.none()),
    st.tuples(st.just("opaque"), PATHS, st.none()),
)
LAYERS = st.lists(st.lists(ENTRY, max_size=8), min_size=1, max_size=4)


class Refused(Exception):
    """The model finds a rule broken."""


@dataclass
class Model:
    """Layers stacked the slow way: one dictionary from path to inode, searched from end to end."""

    inodes: dict[bytes, list[object]] = field(default_factory=dict)

    def add(self, layer: int, entries: list[tuple[str, bytes, object]]) -> None:
        own: dict[bytes, object] = {}
        resolved = [(kind, *self.enter(own, kind, path, what), what) for kind, path, what in entries]
        for kind, path, _target, _what in resolved:
            below = [p for p in self.inodes if p.startswith(path + b"/" if path else b"")]
            if kind == "whiteout":
                for gone in [*below, path]:
                    self.inodes.pop(gone, None)
            if kind == "opaque":
                is_directory = not path or self.kind(path) == "directory"
                for gone in below if is_directory else []:
                    del self.inodes[gone]
        for kind, path, target, what in resolved:
            if kind in ("whiteout", "opaque"):
                continue
            self.make_parents(layer, path)
            if kind == "hardlink":
                inode = self.inodes.get(target)
                if inode is None or inode[0] == "directory":
                    raise Refused(f"{path!r} to {target!r}")
            else:
                inode = [kind, layer, what]
            if kind != "directory" or self.kind(path) != "directory":
                for gone in [p for p in self.inodes if p.startswith(path + b"/")]:
                    del self.inodes[gone]
            self.inodes[path] = inode

    def kind(self, path: bytes) -> object:
        return self.inodes[path][0] if path in self.inodes else None

    def make_parents(self, layer: int, path: bytes) -> None:
        parts = path.split(b"/")
        for n in range(1, len(parts)):
            parent = b"/".join(parts[:n])
            if self.kind(parent) != "directory":
                self.inodes[parent] = ["directory", layer, "implicit"]

    def enter(self, own: dict[bytes, object], kind: str, path: bytes, what: object) -> tuple[bytes, bytes]:
        """Where the layer's own symlinks lead an entry; `own` is what it made so far."""
        marks = kind in ("whiteout", "opaque")
        if kind == "opaque":
            return self.follow(own, path, make=False), b""
        found = self.leaf(own, path, make=not marks)
        if marks:
            return found, b""
        target, made = b"", (kind, what)
        if kind == "hardlink":
            assert isinstance(what, bytes)
            target = self.leaf(own, what, make=False)
            if (target + b"/").startswith(found + b"/") or (target in own and own[target][0] == "directory"):
                raise Refused("link")
            made = own.get(target, ("file", None))
        if kind != "directory" or own.get(found, ("",))[0] != "directory":
            for gone in [p for p in own if p.startswith(found + b"/")]:
                del own[gone]
        own[found] = made
        return found, target

    def leaf(self, own: dict[bytes, object], path: bytes, *, make: bool) -> bytes:
        parent, _, name = path.rpartition(b"/")
        found = self.follow(own, parent, make=make)
        return found + b"/" + name if found else name

    def follow(self, own: dict[bytes, object], path: bytes, *, make: bool) -> bytes:
        todo, done = [part for part in path.split(b"/") if part], []
        for _ in range(200):
            if not todo:
                return b"/".join(done)
            part, todo = todo[0], todo[1:]
            if part == b"..":
                done = done[:-1]
                continue
            if part == b".":
                continue
            here = b"/".join([*done, part])
            kind, what = own.get(here, (None, None))
            if kind == "symlink":
                assert isinstance(what, bytes)
                done = [] if what.startswith(b"/") else done
                todo = [part for part in what.split(b"/") if part] + todo
                continue
            if kind not in (None, "directory"):
                raise Refused("not a directory")
            if kind is None and make:
                own[here] = ("directory", "implicit")
            done.append(part)
        raise Refused("loop")

    def tree(self) -> dict[bytes, tuple[object, ...]]:
        """Path to kind, layer, content, and the first of the names of the same inode."""
        groups: dict[int, bytes] = {}
        for path in sorted(self.inodes):
            groups.setdefault(id(self.inodes[path]), path)
        return {path: (*inode, groups[id(inode)]) for path, inode in self.inodes.items()}


def _entry(kind: str, path: bytes, what: object) -> bytes:
    parent, _, leaf = path.rpartition(b"/")
    if kind == "file":
        assert isinstance(what, int)
        return rawtars.file(path, b"x" * what)
    if kind == "directory":
        assert isinstance(what, int)
        return rawtars.directory(path + b"/", mode=what)
    if kind == "whiteout":
        return rawtars.file((parent + b"/" if parent else b"") + b".wh." + leaf)
    if kind == "opaque":
        return rawtars.file(path + b"/.wh..wh..opq")
    assert isinstance(what, bytes)
    return rawtars.symlink(path, what) if kind == "symlink" else rawtars.hardlink(path, what)


def _index(tar: bytes) -> LayerIndex:
    builder = IndexBuilder()
    parser = TarParser(builder)
    parser.feed(tar)
    parser.finish()
    return LayerIndex(builder.finish())


def _layer(entries: list[tuple[str, bytes, object]]) -> LayerIndex:
    return _index(rawtars.archive(*(_entry(*entry) for entry in entries)))


def _tree(root: Node) -> dict[bytes, tuple[object, ...]]:
    groups: dict[int, bytes] = {}
    nodes = {path: node for path, node in walk(root) if path}
    for path in sorted(nodes):
        groups.setdefault(id(nodes[path]), path)
    found = {}
    for path, node in nodes.items():
        kind = {0o10: "file", 0o4: "directory", 0o12: "symlink"}[node.mode >> 12]
        what: object = {"file": node.size, "directory": node.mode & 0o7777, "symlink": node.link}[kind]
        found[path] = (kind, node.layer, "implicit" if node.entry < 0 else what, groups[id(node)])
    return found


@settings(max_examples=400, deadline=None)
@given(LAYERS)
def test_any_stack_is_as_the_model_says(layers: list[list[tuple[str, bytes, object]]]) -> None:
    model, merger = Model(), Merger()
    for number, entries in enumerate(layers):
        try:
            model.add(number, entries)
        except Refused:
            with pytest.raises((TarError, BrokenLink)):
                merger.add(_layer(entries))
            return
        merger.add(_layer(entries))
    assert _tree(merger.root) == model.tree()
    _check_link_counts(merger.root)


def _check_link_counts(root: Node) -> None:
    names: dict[int, int] = {}
    nodes = list(walk(root))
    for _, node in nodes:
        names[id(node)] = names.get(id(node), 0) + 1
    for path, node in nodes:
        if node.children is None:
            assert node.nlink == names[id(node)], path
        else:
            subdirectories = sum(child.children is not None for child in node.children.values())
            assert node.nlink == 2 + subdirectories, path


def test_parents_that_no_entry_names_keep_what_is_below() -> None:
    low = _index(rawtars.archive(rawtars.directory(b"d", mode=0o700, uid=7, mtime=5)))
    high = _index(rawtars.archive(rawtars.file(b"d/e/f")))
    root = merge([low, high])
    assert root.children is not None
    kept = root.children[b"d"]
    assert (kept.mode, kept.uid, kept.mtime, kept.layer) == (0o040700, 7, 5, 0)
    made = (kept.children or {})[b"e"]
    assert (made.mode, made.uid, made.gid, made.entry) == (0o040755, 0, 0, -1)


def test_a_link_to_a_lower_file_is_the_same_inode_with_its_data_below() -> None:
    low = _index(rawtars.archive(rawtars.file(b"f", b"data", mode=0o640)))
    high = _index(rawtars.archive(rawtars.hardlink(b"l", b"f")))
    root = merge([low, high])
    assert root.children is not None
    assert root.children[b"l"] is root.children[b"f"]
    assert (root.children[b"l"].layer, root.children[b"l"].offset, root.children[b"l"].nlink) == (0, 512, 2)
    assert high.lower_links == 1


def test_find_follows_no_symlink() -> None:
    merger = Merger()
    merger.add(_index(rawtars.archive(rawtars.file(b"d/f"), rawtars.symlink(b"s", b"d"))))
    assert merger.find(b"d/f") is not None
    assert merger.find(b"s/f") is None
    assert merger.find(b"") is merger.root
    assert merger.find(b"d/f/g") is None
