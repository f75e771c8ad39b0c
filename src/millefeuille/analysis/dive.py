"""Dive's efficiency score, as Dive 0.13.1 computes it, to the last bit and with its errors.

For each layer, its tree is walked depth-first, names sorted as bytes; only nodes without children count. One
that is no whiteout counts with its size, a whiteout with the sizes of all that the layers below have under
its path when that is a directory there, and with nothing otherwise; one whose path is not there ends the walk
of its layer. Of each path, all sizes are added up, and the smallest is what it would need:

    efficiency    = sum of the smallest / sum of all
    wasted bytes  = sum of all sizes of the paths that were met twice or more, what is needed included

What is wrong with these numbers, `docs/analyze.md` says; `ledger` has the right ones.
Source: wagoodman/dive v0.13.1, observed; and dive/filetree/efficiency.go, file_tree.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from millefeuille.analysis import gosort
from millefeuille.analysis.divestack import DiveStack, numbers_of
from millefeuille.analysis.layer import Layer
from millefeuille.annotations import Final
from millefeuille.layers.entry import WHITEOUT
from millefeuille.layers.names import WHITEOUT_PREFIX
from millefeuille.values import dataclass

_DROPPED_PREFIX: Final = 2 * WHITEOUT_PREFIX + b"."  # of names that Dive leaves out, opaque marks among them

_Key = tuple[bytes, ...]  # the components of a node's path in a layer's tree: Dive's order of nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Inefficiency:
    """A path that was met more than once: how often, and all of its sizes together, in bytes."""

    path: bytes
    count: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiveScore:
    """What Dive says of an image. Sizes in bytes; `inefficiencies` in the order Dive shows them."""

    efficiency: float
    wasted: int
    size: int
    user_size: int
    inefficiencies: tuple[Inefficiency, ...]

    @property
    def user_wasted(self) -> float:
        """Wasted bytes as a share of all layers but the lowest; not a number for an image with one layer."""
        if self.user_size:
            return float(self.wasted) / float(self.user_size)
        return float("inf") if self.wasted else float("nan")


def score(layers: Sequence[Layer]) -> DiveScore:
    """Dive's score of a stack of layers, the lowest first."""
    walk = _Walk(DiveStack(layers), _repeated(layers))
    for number, layer in enumerate(layers):
        walk.add(number, layer)
    sizes = [layer.index.content_size for layer in layers]
    return walk.result(sizes)


class _Seen:
    """What is known of a path that was met twice, or by a whiteout: all sizes, the smallest, how often."""

    __slots__ = ("count", "least", "total")

    def __init__(self, first: int | None = None) -> None:
        self.total = first or 0
        self.least = -1 if first is None else first
        self.count = 0 if first is None else 1


class _Walk:
    def __init__(self, stack: DiveStack, repeated: set[bytes]) -> None:
        self._stack = stack
        self._repeated = repeated
        self._alone = 0  # the sizes of all paths that are met once, as nearly all are
        self._once: dict[bytes, int] = {}  # of the others, those that were met once so far, with their size
        self._seen: dict[bytes, _Seen] = {}
        self._listed: list[bytes] = []  # in the order in which they were met for the second time

    def add(self, number: int, layer: Layer) -> None:
        """Walk one layer's tree; those below have been walked."""
        gone = {path: _raw_key(path) for path in (*(layer.paths[n] for n in layer.whiteouts), *_aufs(layer))}
        met = numbers_of(layer, self._repeated)
        if gone or layer.opaques or not layer.is_plain or len(layer.index.notes()):
            leaves = _leaves(layer)
            end = self._weigh(number, gone, leaves)
            whole = sum(leaves.values())
            leaves = {path: leaves[path] for path in leaves.keys() & self._repeated}
        else:
            end, whole = None, layer.index.content_size
            leaves = _plain_leaves(layer, met)
        self._alone += whole - sum(leaves.values())
        special = leaves.keys() & self._once.keys()
        special |= leaves.keys() & self._seen.keys()
        special |= leaves.keys() & gone.keys()
        events = [(_key(path), path, leaves.pop(path)) for path in special]
        events += ((key, path, self._sizes[path]) for path, key in gone.items() if path in self._sizes)
        self._once.update(leaves)
        for _, path, size in sorted(events):
            self._meet(path, size)
        if end is not None:
            self._seen.setdefault(end, self._take(end))
        self._stack.add(number, met)

    def result(self, sizes: Sequence[int]) -> DiveScore:
        """The score of what was walked; `sizes` are those of the layers."""
        once = self._alone + sum(self._once.values())
        least = once + sum(seen.least for seen in self._seen.values())
        total = once + sum(seen.total for seen in self._seen.values())
        listed = [(path, self._seen[path]) for path in self._listed]
        order = gosort.order([seen.total for _, seen in listed])
        return DiveScore(
            efficiency=float(least) / float(total) if total else 1.0,
            wasted=sum(seen.total for _, seen in listed),
            size=sum(sizes),
            user_size=sum(sizes[1:]),
            inefficiencies=tuple(
                Inefficiency(path=path, count=seen.count, size=seen.total)
                for path, seen in (listed[place] for place in reversed(order))
            ),
        )

    def _weigh(self, number: int, gone: Mapping[bytes, _Key], leaves: dict[bytes, int]) -> bytes | None:
        """Find what whiteouts count with. One may end the walk: its path; leaves behind it are taken out."""
        self._sizes: dict[bytes, int] = {}
        for path, key in sorted(gone.items(), key=lambda item: item[1]):
            size = self._stack.size(number, path)
            if size is None:
                for behind in [leaf for leaf in leaves if _key(leaf) > key]:
                    del leaves[behind]
                return path
            self._sizes[path] = size
        return None

    def _take(self, path: bytes) -> _Seen:
        return _Seen(self._once.pop(path, None))

    def _meet(self, path: bytes, size: int) -> None:
        seen = self._seen.get(path)
        if seen is None:
            if path not in self._once:
                self._once[path] = size
                return
            seen = self._seen[path] = self._take(path)
        seen.total += size
        seen.least = size if seen.least < 0 else min(seen.least, size)
        seen.count += 1
        if seen.count == 2:
            self._listed.append(path)


def _repeated(layers: Sequence[Layer]) -> set[bytes]:
    """The paths that the walk may meet more than once, or by a whiteout; perhaps some others."""
    found = {layer.paths[number] for layer in layers for number in layer.whiteouts}
    found.update(path for layer in layers for path in _dropped(layer))
    # The largest is not copied, as it would be to become one with the others.
    *others, largest = sorted((layer.names for layer in layers), key=len) or [frozenset[bytes]()]
    together = frozenset[bytes]().union(*others)
    if len(together) == sum(map(len, others)) and together.isdisjoint(largest):
        return found
    known: set[bytes] = set()
    for names in (*others, largest):
        found |= known & names
        known |= names
    return found


def _plain_leaves(layer: Layer, met: Mapping[bytes, Sequence[int]]) -> dict[bytes, int]:
    """Those of a plain layer's nodes `met` that have no children, with their sizes."""
    return {
        path: layer.sizes[numbers[-1]] for path, numbers in met.items() if path and path not in layer.parents
    }


def _leaves(layer: Layer) -> dict[bytes, int]:
    """The nodes without children in a layer's own tree, but for whiteouts, with their sizes."""
    paths, kinds = layer.paths, layer.kinds
    if not layer.whiteouts and not layer.opaques:
        found = dict(zip(paths, layer.sizes, strict=True))
    else:
        rows = zip(paths, layer.sizes, kinds, strict=True)
        found = {path: size for path, size, kind in rows if kind < WHITEOUT}
    # To Dive, the marks that it drops make the directory they lie in.
    for path in (*(paths[n] for n in layer.opaques), *_dropped(layer)):
        found.setdefault(path, 0)
    for path in layer.parents & found.keys():
        del found[path]
    for path in (*_dropped(layer), *_aufs(layer)):
        while path := path.rpartition(b"/")[0]:
            found.pop(path, None)
    found.pop(b"", None)
    return found


def _dropped(layer: Layer) -> Iterator[bytes]:
    """Nodes that Dive has of entries which an index leaves out."""
    for code, path in _notes(layer):
        if code == "device-0-0":
            yield path
        elif code == "aufs" and path.rpartition(b"/")[2].startswith(_DROPPED_PREFIX):
            yield path.rpartition(b"/")[0]


def _aufs(layer: Layer) -> Iterator[bytes]:
    """What Dive takes notes of AUFS for whiteouts of: of `.wh..wh.plnk`, which is nowhere, `.wh.plnk`."""
    noted = [path for code, path in _notes(layer) if code == "aufs"]
    above = {path.rpartition(b"/")[0] for path in noted}  # what has something below it is no leaf
    for path in noted:
        parent, slash, leaf = path.rpartition(b"/")
        is_mark = leaf.startswith(2 * WHITEOUT_PREFIX) and not leaf.startswith(_DROPPED_PREFIX)
        if is_mark and path not in above:
            yield parent + slash + leaf.removeprefix(WHITEOUT_PREFIX)


def _notes(layer: Layer) -> Iterator[tuple[str, bytes]]:
    """The notes of an index, with paths as its entries have them."""
    for code, path in layer.index.notes():
        yield code, b"/".join(part for part in path.split(b"/") if part not in (b"", b"."))


def _key(path: bytes) -> _Key:
    return tuple(path.split(b"/"))


def _raw_key(path: bytes) -> _Key:
    """Where Dive meets the whiteout of `path`."""
    *above, leaf = path.split(b"/")
    return (*above, WHITEOUT_PREFIX + leaf)
