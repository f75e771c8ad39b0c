"""What Dive finds under a whiteout's path when it stacks the layers below.

Dive copies and stacks whole trees for every whiteout. Only what lies at or below the path of some whiteout
can matter, so only that is stacked here, once. Kept are Dive's ways where they show in the sizes: a directory
is one only if the last layer that touched it has an entry for it; a file laid over a directory keeps what was
in it; and in one layer a whiteout acts before or after its namesake, whichever is first by name. The lowest
layer is looked up without its own whiteouts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

from millefeuille.analysis.layer import Layer
from millefeuille.layers.entry import DIRECTORY, OPAQUE, WHITEOUT
from millefeuille.layers.names import WHITEOUT_PREFIX


class _Node:
    __slots__ = ("children", "is_directory", "size")

    def __init__(self) -> None:
        self.children: dict[bytes, _Node] = {}
        self.is_directory = False
        self.size = 0

    def total(self) -> int:
        total, pending = 0, [self]
        while pending:
            node = pending.pop()
            total += node.size
            pending += node.children.values()
        return total


class DiveStack:
    """The stack, built one layer at a time in step with the walk."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = layers
        paths = {layer.paths[number] for layer in layers for number in layer.whiteouts}
        self._tops = {path for path in paths if not any(above in paths for above in _above(path))}
        self._root = _Node()
        self._first = _Node()
        if layers and layers[0].whiteouts:
            self._lay(self._first, layers[0], numbers_of(layers[0], self._tops))

    def size(self, number: int, path: bytes) -> int | None:
        """What a whiteout of `path` in layer `number` counts with, in bytes; None when nothing is there."""
        node = _find(self._root if number else self._first, path)
        if node is None:
            return None
        return node.total() if node.is_directory else 0

    def add(self, number: int, met: Mapping[bytes, Sequence[int]]) -> None:
        """Stack one more layer; `met` has what `numbers_of` gives for the paths of whiteouts, at least."""
        if not self._tops:
            return
        layer = self._layers[number]
        gone = [layer.paths[place] for place in layer.whiteouts]
        for path in gone:
            if _acts_first(path):
                self._remove(path)
        self._lay(self._root, layer, met)
        for path in gone:
            if not _acts_first(path):
                self._remove(path)

    def _lay(self, root: _Node, layer: Layer, met: Mapping[bytes, Sequence[int]]) -> None:
        for top in self._tops & (met.keys() | layer.parents):
            for path, payload in _nodes(layer, top, met.get(top, ())).items():
                node = root
                for part in path.split(b"/"):
                    node = node.children.setdefault(part, _Node())
                node.size, node.is_directory = payload

    def _remove(self, path: bytes) -> None:
        above, _, leaf = path.rpartition(b"/")
        node = _find(self._root, above) if above else self._root
        if node is not None:
            node.children.pop(leaf, None)


def numbers_of(layer: Layer, paths: Set[bytes]) -> dict[bytes, list[int]]:
    """The numbers of the entries with these paths, by path. One pass over the layer, as sorting its paths to
    look a few up would take longer than all else.
    """
    found: dict[bytes, list[int]] = {}
    for number, path in enumerate(layer.paths) if paths else ():
        if path in paths:
            found.setdefault(path, []).append(number)
    return found


def _nodes(layer: Layer, top: bytes, written: Sequence[int]) -> dict[bytes, tuple[int, bool]]:
    """The nodes of a layer's own tree at and below `top`: their size, and if they are directories.

    `written` has the numbers of the entries with just this path.
    """
    found: dict[bytes, tuple[int, bool]] = {}
    implied: set[bytes] = set()
    for number in sorted([*written, *(layer.below(top) if top in layer.parents else ())]):
        path, kind = layer.paths[number], layer.kinds[number]
        implied.update(above for above in _above(path) if len(above) >= len(top))
        if kind == OPAQUE:
            implied.add(path)
        elif kind != WHITEOUT:
            found[path] = (layer.sizes[number], kind == DIRECTORY)
    for path in implied - found.keys():
        found[path] = (0, False)
    return found


def _find(root: _Node, path: bytes) -> _Node | None:
    node: _Node | None = root
    for part in path.split(b"/"):
        node = node.children.get(part) if node is not None else None
    return node


def _above(path: bytes) -> Iterator[bytes]:
    """The directories that `path` lies in, but for the root."""
    while path := path.rpartition(b"/")[0]:
        yield path


def _acts_first(path: bytes) -> bool:
    leaf = path.rpartition(b"/")[2]
    return WHITEOUT_PREFIX + leaf < leaf
