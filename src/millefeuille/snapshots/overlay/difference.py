"""What a layer changes in the tree of the layers below it, in the terms of overlayfs.

Taken from the merged tree before and after the layer, so the rules are those of `layers.tree`, and this
says only how overlayfs has to be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from millefeuille.annotations import NamedTuple
from millefeuille.layers.entry import DIRECTORY, HARDLINK, OPAQUE
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.tree import Merger, Node
from millefeuille.values import dataclass, field


@dataclass(slots=True, kw_only=True)
class Directory:
    """One directory of the layer, with what the layer has in it but for directories.

    `path` is relative to the root, "" for the root. `opaque` hides what the layers below have there; `gone`
    are names that they have and this layer takes away. `links` are further names of inodes that have one
    in this layer: the name here, and the path of that one.
    """

    path: bytes
    node: Node
    opaque: bool = False
    gone: list[bytes] = field(default_factory=list)
    inodes: list[tuple[bytes, Node]] = field(default_factory=list)
    links: list[tuple[bytes, bytes]] = field(default_factory=list)


class _Before(NamedTuple):
    node: Node
    children: Mapping[bytes, Node]


def difference(merger: Merger, index: LayerIndex) -> list[Directory]:
    """Lay `index` over the tree of `merger`; the directories it changes, each after its parent.

    Raises BrokenLink.
    """
    paths, kinds = index.paths(), bytes(index.kinds)
    touched = _with_parents(_touched(paths, kinds))
    before = {}
    for path in touched:
        node = merger.find(path)
        if node is not None and node.children is not None:
            before[path] = _Before(node, dict(node.children))
    layer = merger.layers
    merger.add(index)
    linked = _linked(merger, index, paths, kinds, layer)
    if linked:
        names = _names(merger.root, linked)
        for path in _with_parents(names) - touched:
            node = merger.find(path)
            assert node is not None and node.children is not None  # it has a name in it
            before[path] = _Before(node, node.children)
            touched.add(path)
    opaque = {paths[number] for number in _all(kinds, OPAQUE)}
    return [*_Walk(merger.root, touched, before, opaque, linked).directories()]


class _Walk:
    """Compares the tree with what it was."""

    def __init__(
        self, root: Node, touched: set[bytes], before: Mapping[bytes, _Before], opaque: set[bytes],
        linked: set[int],
    ) -> None:  # fmt: skip
        self._root = root
        self._touched = touched
        self._before = before
        self._opaque = opaque
        self._linked = linked  # inodes of layers below that got a name in this one
        self._written: dict[int, bytes] = {}  # where inodes with several names have their first

    def directories(self) -> Iterator[Directory]:
        pending = [Directory(path=b"", node=self._root)]
        while pending:
            directory = pending.pop()
            pending += self._look(directory)
            yield directory

    def _look(self, directory: Directory) -> list[Directory]:
        """Fill in what is in a directory; the directories in it that are to be looked at."""
        path, children = directory.path, directory.node.children or {}
        old = self._old(directory)
        if directory.opaque:
            old = {}
        directory.gone = [name for name in old if name not in children]
        below = []
        for name, child in children.items():
            known, place = old.get(name), path + b"/" + name if path else name
            if child.children is not None:
                if known is not child or place in self._touched:
                    hides = known is not None and known is not child
                    below.append(Directory(path=place, node=child, opaque=hides))
            elif known is not child or id(child) in self._linked:
                self._put(directory, name, place, child)
        return below

    def _old(self, directory: Directory) -> Mapping[bytes, Node]:
        """What the layers below have in a directory that is theirs too."""
        before = self._before.get(directory.path)
        if before is None or before.node is not directory.node:
            return {}
        # The mark says nothing in a root: overlayfs lays roots over each other whatever they have.
        if directory.path and directory.path in self._opaque and before.children:
            directory.opaque = True
        return before.children

    def _put(self, directory: Directory, name: bytes, path: bytes, node: Node) -> None:
        if node.nlink > 1:
            first = self._written.setdefault(id(node), path)
            if first is not path:
                directory.links.append((name, first))
                return
        directory.inodes.append((name, node))


def _touched(paths: Iterable[bytes], kinds: bytes) -> Iterator[bytes]:
    for path, kind in zip(paths, kinds, strict=True):
        yield path if kind in (DIRECTORY, OPAQUE) else path.rpartition(b"/")[0]


def _with_parents(paths: Iterable[bytes]) -> set[bytes]:
    found = {b""}
    for path in paths:
        while path not in found:
            found.add(path)
            path = path.rpartition(b"/")[0]
    return found


def _linked(
    merger: Merger, index: LayerIndex, paths: list[bytes], kinds: bytes, layer: int
) -> set[int]:  # fmt: skip
    """The inodes of layers below that this layer gives a further name."""
    if not index.lower_links:
        return set()
    found = (merger.find(paths[number]) for number in _all(kinds, HARDLINK))
    return {id(node) for node in found if node is not None and node.layer != layer}


def _names(root: Node, inodes: set[int]) -> Iterator[bytes]:
    """The directories in which these inodes have names."""
    pending = [(b"", root)]
    while pending:
        path, node = pending.pop()
        for name, child in (node.children or {}).items():
            if child.children is not None:
                pending.append((path + b"/" + name if path else name, child))
            elif id(child) in inodes:
                yield path


def _all(kinds: bytes, kind: int) -> Iterator[int]:
    number = kinds.find(kind)
    while number >= 0:
        yield number
        number = kinds.find(kind, number + 1)
