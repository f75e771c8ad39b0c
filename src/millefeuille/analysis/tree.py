"""Trees: an image's files after each layer, one directory at a time, and what changed between two layers.

Nothing is built for what nobody looks at. A directory's entries after layer `upto` come from asking each
layer up to there what it writes into the directory and what it takes from it; only sums over all files are
made whole, once for all layers. So a view opens in the time of one screen, whatever the image holds.

    trees.children(b"usr", below=2, upto=3)     what layer 3 changes there
    trees.children(b"usr", below=0, upto=3)     what layers 1 to 3 change there
    trees.children(b"usr", below=-1, upto=-1)   nothing: there is no layer yet
    trees.own(3, b"usr")                        what layer 3 holds there, marks among it
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache

from millefeuille.analysis.layer import Layer
from millefeuille.analysis.stacking import SAME, compared, named
from millefeuille.annotations import Final, NamedTuple, Protocol
from millefeuille.layers.entry import DIRECTORY, HARDLINK, WHITEOUT

UNCHANGED: Final = "unchanged"
ADDED: Final = "added"
MODIFIED: Final = "modified"  # the content, or of a directory something below it
METADATA: Final = "metadata"
TYPE: Final = "type"
REMOVED: Final = "removed"

NO_ENTRY: Final = -1
_KEPT: Final = 64  # layers
_KEPT_LISTINGS: Final = 1024  # directories

Place = tuple[int, int]  # a layer and the number of an entry in it, NO_ENTRY for a directory without one


class Node(NamedTuple):
    """One name in a directory. `size` is that of a file, or of all live files below a directory, in bytes.

    `layer` and `entry` say what wrote it last; `entry` is NO_ENTRY for a directory that no entry names. Of a
    hard link, all is that of the file which it is a name of, but in `own`. A node that was removed has what
    was there before.
    """

    path: bytes
    kind: int
    size: int
    change: str
    layer: int
    entry: int

    @property
    def name(self) -> bytes:
        """The last part of the path."""
        return self.path.rpartition(b"/")[2]


class Account(Protocol):
    """What trees ask of a ledger, which may be one that is made when it is asked."""

    @property
    def changes(self) -> Sequence[Mapping[int, int]]:
        """As those of a ledger."""

    @property
    def losses(self) -> Iterable[tuple[int, int, int]]:
        """As those of a ledger."""


class Trees:
    """The trees of one image, by its layers and its ledger. Keep it as long as somebody looks at them.

    The ledger is asked for the sizes of directories and for `own` only.
    """

    def __init__(self, layers: Sequence[Layer], account: Account) -> None:
        self._layers = layers
        self._account = account
        self._touched = lru_cache(maxsize=64)(self._touch)
        # Directories that are looked at again and again while somebody walks about: each after every layer.
        self._listings: dict[bytes, dict[int, Mapping[bytes, Place]]] = {}
        self._sums: dict[int, Mapping[bytes, int]] = {}  # of the layers that were asked for last

    def children(self, path: bytes, *, below: int, upto: int, sums: bool = True) -> list[Node]:
        """What a directory holds after layer `upto`, compared with after layer `below`, sorted by name.

        Also what it held then and does not any more. -1 is before any layer. Without `sums`, which take
        long to make once, directories have the size 0.
        """
        old, new = self._listed(path, below), self._listed(path, upto)
        touched = self._touched(below, upto)
        found = []
        for name in sorted(old.keys() | new.keys()):
            child = path + b"/" + name if path else name
            place = new.get(name)
            change = REMOVED if place is None else self._change(child, old.get(name), place, touched)
            summed = upto if place else below
            found.append(self._node(child, place or old[name], change, summed if sums else -1))
        return found

    def own(self, layer: int, path: bytes) -> list[Node]:
        """What one layer itself holds in a directory, whiteouts among it, sorted by name."""
        held = self._layers[layer]
        found = {}
        for number in held.entries_in(path):
            found[held.paths[number], held.kinds[number] >= WHITEOUT] = number
        nodes = []
        for (child, _), number in sorted(found.items()):
            kind = held.kinds[number]
            change = REMOVED if kind >= WHITEOUT else _NAMES[self._account.changes[layer].get(number, 0)]
            nodes.append(Node(child, kind, held.sizes[number], change, layer, number))
        named = {node.path for node in nodes}
        for child in held.directories_in(path):
            if child not in named:
                nodes.append(Node(child, DIRECTORY, 0, MODIFIED, layer, NO_ENTRY))
        return sorted(nodes)

    def find(self, path: bytes, upto: int) -> Place | None:
        """What is under a path after a layer; None for nothing."""
        above, _, name = path.rpartition(b"/")
        return self._listed(above, upto).get(name)

    def linked(self, upto: int, number: int) -> Place:
        """What hard link `number` of layer `upto` is one more name of; the link itself for nothing."""
        target = self._followed(self._layers[upto], number)
        if isinstance(target, int):
            return upto, target
        return self.find(target, upto - 1) or (upto, number)

    def _listed(self, path: bytes, upto: int) -> Mapping[bytes, Place]:
        """What is in a directory after a layer, by name."""
        if upto < 0:
            return {}
        known = self._listings.get(path)
        if known is not None and upto in known:
            return known[upto]
        if len(self._listings) > _KEPT_LISTINGS:
            self._listings = {}
        return self._walked(path, upto)

    def _walked(self, path: bytes, upto: int) -> Mapping[bytes, Place]:
        """What `_listed` says, of a directory that was not looked at so far.

        From the lowest layer on, and not each by a call for the one below: there may be hundreds of layers.
        For the same reason directories that hold what hard links speak of wait on a list of their own for
        their turn, and each has been walked before it is asked for. Where two threads ask at once, both find
        the same.
        """
        listings, waiting = self._listings, [(path, upto)]
        while waiting:
            at, last = waiting[-1]
            known = listings.setdefault(at, {})
            for layer in range(len(known), last + 1):
                needed = [
                    (above, below)
                    for above, below in self._needed(at, layer)
                    if below not in listings.get(above, ())
                ]
                if needed:
                    waiting += needed
                    break
                known[layer] = self._list(at, layer, known.get(layer - 1, {}))
            else:
                waiting.pop()
        return listings[path][upto]

    def _needed(self, path: bytes, upto: int) -> Iterator[tuple[bytes, int]]:
        """The directories, each after which layer, that hard links of a layer in a directory lead to."""
        layer = self._layers[upto]
        for number in layer.entries_in(path) if upto and HARDLINK in layer.kinds else ():
            if layer.kinds[number] == HARDLINK:
                target = self._followed(layer, number)
                if isinstance(target, bytes):
                    yield target.rpartition(b"/")[0], upto - 1

    def _list(self, path: bytes, upto: int, before: Mapping[bytes, Place]) -> Mapping[bytes, Place]:
        layer = self._layers[upto]
        if not self._concerns(layer, path):
            return before
        found = {} if self._cuts(layer, path) else dict(before)
        for number in layer.entries_in(path):
            if layer.kinds[number] == WHITEOUT:
                found.pop(layer.paths[number].rpartition(b"/")[2], None)
        written = [number for number in layer.entries_in(path) if layer.kinds[number] < WHITEOUT]
        if written or layer.makes(path):
            for number in written:
                is_link = layer.kinds[number] == HARDLINK
                place = self.linked(upto, number) if is_link else (upto, number)
                found[layer.paths[number].rpartition(b"/")[2]] = place
            for child in layer.directories_in(path):
                if layer.makes(child) and child not in layer.settled:
                    name = child.rpartition(b"/")[2]
                    known = found.get(name)
                    if known is None or self._kind(known) != DIRECTORY:
                        found[name] = (upto, NO_ENTRY)
        return found

    def _followed(self, layer: Layer, entry: int) -> int | bytes:
        """The entry of a layer that a hard link of its own is a name of, or the path in the layers below."""
        while layer.kinds[entry] == HARDLINK:
            target = layer.index.link(entry)
            earlier = [each for each in layer.at(target) if each < entry and layer.kinds[each] < WHITEOUT]
            if not earlier:
                return target
            entry = earlier[-1]
        return entry

    def _concerns(self, layer: Layer, path: bytes) -> bool:
        return path in layer.parents or self._cuts(layer, path)

    def _cuts(self, layer: Layer, path: bytes) -> bool:
        """Whether a layer takes away all that the layers below have in a directory."""
        marks = layer.cuts
        if not marks:
            return False
        if path in marks or b"" in marks:
            return True
        while path := path.rpartition(b"/")[0]:
            if path in marks:
                return True
        return False

    def _kind(self, place: Place) -> int:
        return DIRECTORY if place[1] == NO_ENTRY else self._layers[place[0]].kinds[place[1]]

    def _change(self, path: bytes, old: Place | None, new: Place, touched: frozenset[bytes]) -> str:
        if old is None:
            return ADDED
        if self._kind(old) != self._kind(new):
            return TYPE
        if self._kind(new) == DIRECTORY and path in touched:
            return MODIFIED
        return UNCHANGED if old == new else _NAMES[self._compared(old, new)]

    def _compared(self, old: Place, new: Place) -> int:
        """What changed between two of the same kind."""
        if old[1] == new[1] == NO_ENTRY:
            return SAME
        if NO_ENTRY in (old[1], new[1]):
            layer, entry = new if old[1] == NO_ENTRY else old
            return named(self._layers[layer].index, entry)
        return compared(self._layers[old[0]].index, old[1], self._layers[new[0]].index, new[1])

    def _node(self, path: bytes, place: Place, change: str, upto: int) -> Node:
        kind = self._kind(place)
        if kind == DIRECTORY:
            size = self._below(upto).get(path, 0)
        else:
            size = self._layers[place[0]].sizes[place[1]]
        return Node(path, kind, size, change, *place)

    def _touch(self, below: int, upto: int) -> frozenset[bytes]:
        return frozenset().union(*(layer.parents for layer in self._layers[below + 1 : upto + 1]))

    def _below(self, upto: int) -> Mapping[bytes, int]:
        """The live bytes below each directory after a layer."""
        if upto in self._sums or upto < 0:
            return self._sums.get(upto, {})
        known = max((layer for layer in self._sums if layer < upto), default=-1)
        sums = self._sums.get(known, {})
        for layer in range(known + 1, upto + 1):
            sums = dict(sums)
            for path, change in self._deltas[layer].items():
                sums[path] = sums.get(path, 0) + change
            self._sums[layer] = sums
            if len(self._sums) > _KEPT:
                del self._sums[next(iter(self._sums))]
        return sums

    @cached_property
    def _deltas(self) -> list[dict[bytes, int]]:
        """By how many bytes each layer changes the directories, those above them included."""
        deltas = []
        for layer in self._layers:
            direct: dict[bytes, int] = {}
            for path, size in zip(layer.paths, layer.sizes, strict=True):
                if size:
                    above = path.rpartition(b"/")[0]
                    direct[above] = direct.get(above, 0) + size
            deltas.append(direct)
        for writer, entry, killer in self._account.losses:
            layer = self._layers[writer]
            above = layer.paths[entry].rpartition(b"/")[0]
            deltas[killer][above] = deltas[killer].get(above, 0) - layer.sizes[entry]
        return [_rolled_up(direct) for direct in deltas]


def _rolled_up(direct: Mapping[bytes, int]) -> dict[bytes, int]:
    sums: dict[bytes, int] = {}
    for path, change in direct.items():
        for above in _upwards(path):
            sums[above] = sums.get(above, 0) + change
    return sums


def _upwards(path: bytes) -> Iterator[bytes]:
    yield path
    while path:
        path = path.rpartition(b"/")[0]
        yield path


_NAMES: Final = (ADDED, MODIFIED, METADATA, TYPE, UNCHANGED)  # by the codes of `stacking`
