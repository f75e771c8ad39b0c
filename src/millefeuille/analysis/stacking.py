"""Stacking: which entry each path shows after each layer, and how each file that is no longer shown died.

The rules are those of `layers.tree`. What a layer writes is taken in whole columns where it can be; only
paths that meet something, marks, links and layers that speak of one path twice are looked at one by one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import chain

from millefeuille.analysis.layer import Layer, positions
from millefeuille.annotations import Final, NamedTuple
from millefeuille.layers.entry import DIRECTORY, FILE, HARDLINK, NO_XATTRS, WHITEOUT
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.refusal import BrokenLink, quoted

REWRITTEN: Final = "rewritten"
METADATA: Final = "metadata only"
DELETED: Final = "deleted"
OPAQUE_DIRECTORY: Final = "opaque directory"
TYPE: Final = "type replaced"
SAME_LAYER: Final = "same layer"
CAUSES: Final = (REWRITTEN, METADATA, DELETED, OPAQUE_DIRECTORY, TYPE, SAME_LAYER)


ADDED: Final = 0
CONTENT: Final = 1
ATTRIBUTES: Final = 2
KIND: Final = 3
SAME: Final = 4
CHANGES: Final = ("added", "content", "metadata", "type", "unchanged")


class Death(NamedTuple):
    """Entry number `entry` of layer `writer` lost its last path in layer `killer`, by the path `by` there."""

    writer: int
    entry: int
    killer: int
    cause: str
    by: bytes


class Stacking:
    """The stack so far. `live` leads from each path to the entry it shows: see `layer_of`."""

    def __init__(self) -> None:
        self.deaths: list[Death] = []
        self.live: dict[bytes, int] = {}  # to the number of an entry, counted through all layers
        # Of each layer, what its entries do to what was there: one of CHANGES by its place; most are added.
        self.changes: list[dict[int, int]] = []
        self.removed: list[list[bytes]] = []  # of each layer, the paths that its marks take away, top-most
        self._layers: list[Layer] = []
        self._starts: list[int] = []
        self._kinds = bytearray()
        self._names: dict[int, int] = {}  # how many names more than one a file has
        self._implied: set[bytes] = set()  # directories that are there and that no entry names

    def add(self, layer: Layer) -> None:
        """Lay one more layer over the others. Raises BrokenLink."""
        self._layers.append(layer)
        self._starts.append(len(self._kinds))
        self._kinds += layer.kinds
        self.changes.append({})
        self.removed.append([])
        self._remove_marked(layer)
        shown = _written(layer, self._starts[-1]) if layer.is_plain else {}
        if layer.is_plain and _links_are_plain(layer, shown, self._starts[-1]):
            self._add_columns(layer, shown)
        else:
            self._add_one_by_one(layer)

    @property
    def unnamed(self) -> AbstractSet[bytes]:
        """The directories that are there and that no entry names."""
        return self._implied

    def layer_of(self, number: int) -> tuple[int, int]:
        """The layer and the number in it of an entry that `live` leads to."""
        layer = bisect_right(self._starts, number) - 1
        return layer, number - self._starts[layer]

    def _remove_marked(self, layer: Layer) -> None:
        for number in layer.whiteouts:
            path = layer.paths[number]
            before = len(self.live) + len(self._implied)
            self._remove(path, DELETED, path)
            self._remove_below(path, DELETED, path)
            if len(self.live) + len(self._implied) < before:
                self.removed[-1].append(path)
        for number in layer.opaques:
            self._remove_below(layer.paths[number], OPAQUE_DIRECTORY, layer.paths[number])

    def _add_columns(self, layer: Layer, shown: dict[bytes, int]) -> None:
        """Take a layer that names no path twice, and nothing below what it makes a file."""
        live, changes, start = self.live, self.changes[-1], self._starts[-1]
        links = self._links(layer, shown)
        shown.update(links)
        entries = {layer.paths[entry]: entry for entry in positions(layer.kinds, HARDLINK)} if links else {}
        turns = self._replaced_parents(layer, shown)
        for path in chain(self._implied & shown.keys(), shown.keys() & live.keys()):
            turns.append((entries.get(path, shown[path] - start), path))
        turns.sort()  # of several names of a file, the one that goes last tells why
        for entry, path in turns:
            if path not in shown:
                self._remove(path, TYPE, path)
            elif path not in live:
                self._name(path, shown[path])
                changes[entry] = self._named(shown[path])
            else:
                changes[entry] = change = self._compared(live[path], shown[path])
                self._replace(path, live[path], shown[path], change)
        if live:
            live.update(shown)
        else:
            self.live = live = shown
        self._imply(layer)

    def _links(self, layer: Layer, shown: dict[bytes, int]) -> dict[bytes, int]:
        """The entry that each hard link of the layer shows, which is counted as one more name of it."""
        found: dict[bytes, int] = {}
        for entry in positions(layer.kinds, HARDLINK):
            path, target = layer.paths[entry], layer.index.link(entry)
            number = found.get(target, shown[target])
            self._names[number] = self._names.get(number, 0) + 1
            found[path] = number
        return found

    def _add_one_by_one(self, layer: Layer) -> None:
        start, live = self._starts[-1], self.live
        # An entry is held against what the layers below have, whatever others of its layer do there too.
        below = {path: live[path] for path in layer.names & live.keys()}
        unnamed = self._implied & layer.names
        for entry, path in enumerate(layer.paths):
            kind, number = layer.kinds[entry], start + entry
            if kind >= WHITEOUT:
                continue
            self._make_parents(path)
            if kind == HARDLINK:
                number = self._target(layer.index.link(entry), path)
            if path in below:
                self.changes[-1][entry] = self._compared(below[path], number)
            elif path in unnamed:
                self.changes[-1][entry] = self._named(number)
            self._show(path, number, is_link=kind == HARDLINK)
        self._imply(layer)

    def _show(self, path: bytes, number: int, *, is_link: bool) -> None:
        """Have `path` show an entry; what it showed so far gives way."""
        old = self.live.get(path)
        if is_link:
            if old == number:
                return
            self._names[number] = self._names.get(number, 0) + 1
        if old is None:
            self._name(path, number)
        else:
            self._replace(path, old, number, self._compared(old, number))
        self.live[path] = number

    def _imply(self, layer: Layer) -> None:
        # Marks make no directory, nor does what a later entry of the layer takes the directory of.
        is_sure = layer.is_plain and not layer.whiteouts and not layer.opaques
        # Not a difference of sets, which would look at every path of the stack.
        self._implied.update(
            path for path in layer.parents if path not in self.live and (is_sure or layer.makes(path))
        )

    def _target(self, target: bytes, path: bytes) -> int:
        number = self.live.get(target)
        if number is None or self._kinds[number] == DIRECTORY:
            names = f"{quoted(path)} to {quoted(target)}"
            raise BrokenLink(f"layer {len(self._layers) - 1} has a hard link to nothing ({names})")
        return number

    def _name(self, path: bytes, number: int) -> None:
        """An entry comes where none is; there may be a directory all the same."""
        self._implied.discard(path)
        if self._kinds[number] != DIRECTORY:
            self._remove_below(path, TYPE, path)

    def _replace(self, path: bytes, old: int, new: int, change: int) -> None:
        """What `path` shows gives way to another, which changes that of it."""
        before, after = self._kinds[old], self._kinds[new]
        if before == DIRECTORY:
            if after != DIRECTORY:
                self._remove_below(path, TYPE, path)
            return
        if old == new:
            self._names[old] -= 1
        elif before == FILE:
            self._kill(old, (REWRITTEN if change == CONTENT else TYPE if change == KIND else METADATA), path)

    def _compared(self, old: int, new: int) -> int:
        """What a new entry under an old path changes."""
        (lower, a), (upper, b) = self.layer_of(old), self.layer_of(new)
        return compared(self._layers[lower].index, a, self._layers[upper].index, b)

    def _named(self, number: int) -> int:
        """What an entry changes of the directory in its place that no entry named."""
        layer, entry = self.layer_of(number)
        return named(self._layers[layer].index, entry)

    def _kill(self, number: int, cause: str, by: bytes) -> None:
        """One path less leads to an entry."""
        if self._kinds[number] != FILE:
            return
        names = self._names.get(number, 0)
        if names:
            self._names[number] = names - 1
            return
        writer, entry = self.layer_of(number)
        killer = len(self._layers) - 1
        self.deaths.append(Death(writer, entry, killer, SAME_LAYER if writer == killer else cause, by))

    def _remove(self, path: bytes, cause: str, by: bytes) -> None:
        number = self.live.pop(path, None)
        if number is not None:
            self._kill(number, cause, by)
        else:
            self._implied.discard(path)

    def _remove_below(self, path: bytes, cause: str, by: bytes) -> None:
        for below in self._below(path):
            self._remove(below, cause, by)
            above = below.rpartition(b"/")[0]
            while above in self._implied and len(above) > len(path):
                self._implied.remove(above)
                above = above.rpartition(b"/")[0]

    def _below(self, path: bytes) -> Iterator[bytes]:
        """The paths below `path` that show something, some perhaps more than once."""
        for layer in self._layers:
            if path in layer.parents:
                yield from [layer.paths[number] for number in layer.below(path)]

    def _replaced_parents(self, layer: Layer, shown: dict[bytes, int]) -> list[tuple[int, bytes]]:
        """Files in whose place the layer needs a directory that it has no entry for, each with the number of
        the first entry below it.
        """
        found = []
        for path in layer.parents & self.live.keys():
            if path in shown or self._kinds[self.live[path]] == DIRECTORY:
                continue
            needing = [number for number in layer.below(path) if layer.kinds[number] < WHITEOUT]
            if needing:
                found.append((min(needing), path))
        return found

    def _make_parents(self, path: bytes) -> None:
        while path := path.rpartition(b"/")[0]:
            number = self.live.get(path)
            if number is not None and self._kinds[number] != DIRECTORY:
                self._remove(path, TYPE, path)


def compared(old: LayerIndex, a: int, new: LayerIndex, b: int) -> int:
    """What entry `b` of one layer changes of entry `a` of another: CONTENT, ATTRIBUTES, KIND or SAME."""
    kind = old.kinds[a]
    if kind != new.kinds[b]:
        return KIND
    if kind == FILE and (old.sizes[a] != new.sizes[b] or old.content(a) != new.content(b)):
        return CONTENT
    if old.link(a) != new.link(b) or old.device(a) != new.device(b):
        return CONTENT
    return SAME if _attributes(old, a) == _attributes(new, b) else ATTRIBUTES


def named(index: LayerIndex, entry: int) -> int:
    """What an entry changes of a directory that no entry named: ATTRIBUTES, KIND or SAME."""
    if index.kinds[entry] != DIRECTORY:
        return KIND
    return SAME if _attributes(index, entry) == _UNNAMED else ATTRIBUTES


def _attributes(index: LayerIndex, entry: int) -> tuple[object, ...]:
    mode, owner = index.modes[entry], (index.uids[entry], index.gids[entry])
    times = (index.mtimes[entry], index.nsecs[entry])
    return mode, owner, times, index.xattrs(entry)


_UNNAMED: Final = (0o755, (0, 0), (0, 0), NO_XATTRS)  # the attributes of a directory that no entry names


def _written(layer: Layer, start: int) -> dict[bytes, int]:
    """Each path that an entry of a plain layer gives a state, with its number, counted from `start`."""
    if layer.whiteouts or layer.opaques:
        return {path: start + entry for path, entry in layer.written.items()}
    return dict(zip(layer.paths, range(start, start + len(layer.paths)), strict=True))


def _links_are_plain(layer: Layer, shown: dict[bytes, int], start: int) -> bool:
    """Whether what is linked is an earlier entry of this layer, not what the layers below have there."""
    return all(
        shown.get(layer.index.link(entry), start + entry) < start + entry
        for entry in positions(layer.kinds, HARDLINK)
    )
