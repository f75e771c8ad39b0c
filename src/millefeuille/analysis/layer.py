"""Layer: the index of one layer, with the lists that an analysis asks for again and again.

Everything here is made once, when it is first asked for, by code that runs over whole columns: an analysis of
a hundred thousand files has no time to make a value for each of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property

from millefeuille.layers.entry import DIRECTORY, OPAQUE, WHITEOUT
from millefeuille.layers.index import LayerIndex


class Layer:
    """One layer, by its index. Numbers are those of the index's entries; paths are relative to the root."""

    def __init__(self, index: LayerIndex) -> None:
        self.index = index

    @cached_property
    def paths(self) -> list[bytes]:
        """The path of each entry, in the order of the tar."""
        return self.index.paths()

    @cached_property
    def kinds(self) -> bytes:
        """The kind of each entry."""
        return bytes(self.index.kinds)

    @cached_property
    def sizes(self) -> Sequence[int]:
        """The size of each entry in bytes; 0 for all but regular files."""
        return self.index.sizes

    @cached_property
    def order(self) -> Sequence[int]:
        """The numbers of all entries, sorted by path; those with one path in the order of the tar."""
        return self.index.order

    @cached_property
    def sorted_paths(self) -> list[bytes]:
        """The paths of all entries, sorted."""
        return [self.paths[number] for number in self.order]

    @cached_property
    def parents(self) -> frozenset[bytes]:
        """All directories that an entry of the layer, marks among them, lies in; the root is one of them."""
        found = {path.rpartition(b"/")[0] for path in self.paths}
        for path in list(found):
            while path:
                path = path.rpartition(b"/")[0]
                if path in found:
                    break
                found.add(path)
        return frozenset(found)

    @cached_property
    def names(self) -> frozenset[bytes]:
        """The different paths of the entries, marks among them."""
        return frozenset(self.paths)

    @cached_property
    def is_plain(self) -> bool:
        """Whether no path is written twice, and what has something below it is written as a directory."""
        marks = len(self.whiteouts) + len(self.opaques)
        written = self.written.keys() if marks else self.names
        if len(written) + marks != len(self.paths):
            return False
        parents, paths = self.parents, self.paths
        directories = sum(paths[number] in parents for number in positions(self.kinds, DIRECTORY))
        return directories == len(parents & written)

    @cached_property
    def written(self) -> dict[bytes, int]:
        """Each path that an entry gives a state, with the number of the last that does; marks do not."""
        found = dict(zip(self.paths, range(len(self.paths)), strict=True))
        if self.whiteouts or self.opaques:
            rows = enumerate(zip(self.paths, self.kinds, strict=True))
            found = {path: number for number, (path, kind) in rows if kind < WHITEOUT}
        return found

    @cached_property
    def whiteouts(self) -> list[int]:
        """The numbers of the whiteouts."""
        return list(positions(self.kinds, WHITEOUT))

    @cached_property
    def opaques(self) -> list[int]:
        """The numbers of the opaque marks."""
        return list(positions(self.kinds, OPAQUE))

    @cached_property
    def cuts(self) -> frozenset[bytes]:
        """The paths below which nothing of the layers below stays: marks, and what is no directory here."""
        marks = [self.paths[number] for number in (*self.whiteouts, *self.opaques)]
        rows = zip(self.paths, self.kinds, strict=True)
        return frozenset(marks) | {path for path, kind in rows if kind < WHITEOUT and kind != DIRECTORY}

    @cached_property
    def settled(self) -> dict[bytes, int]:
        """As `written`, without what a later entry of the same layer takes the directory of."""
        if not any(self.kinds[number] != DIRECTORY for path in self.parents for number in self.at(path)):
            return self.written
        found: dict[bytes, int] = {}
        for number, (path, kind) in enumerate(zip(self.paths, self.kinds, strict=True)):
            if kind >= WHITEOUT:
                continue
            if kind != DIRECTORY and path in self.parents:
                for gone in [below for below in found if below.startswith(path + b"/")]:
                    del found[gone]
            found[path] = number
        return found

    @cached_property
    def _entries(self) -> dict[bytes, list[int]]:
        found: dict[bytes, list[int]] = {}
        marks = {self.paths[number] + b"\0": number for number in self.whiteouts}
        for path, number in (*self.settled.items(), *marks.items()):
            if path:
                found.setdefault(path.rpartition(b"/")[0], []).append(number)
        return found

    @cached_property
    def _directories(self) -> dict[bytes, list[bytes]]:
        found: dict[bytes, list[bytes]] = {}
        for path in self.parents:
            if path:
                found.setdefault(path.rpartition(b"/")[0], []).append(path)
        return found

    @cached_property
    def _made(self) -> frozenset[bytes]:
        found: set[bytes] = {b""}
        for path in self.settled:
            while path := path.rpartition(b"/")[0]:
                if path in found:
                    break
                found.add(path)
        return frozenset(found)

    def entries_in(self, path: bytes) -> Sequence[int]:
        """The numbers of the entries and whiteouts that are or name something in the directory `path`."""
        return self._entries.get(path, ())

    def directories_in(self, path: bytes) -> Sequence[bytes]:
        """The directories in `path` that something of the layer lies in."""
        return self._directories.get(path, ())

    def makes(self, path: bytes) -> bool:
        """Whether an entry lies below `path`, so that it has to be a directory; marks do not count."""
        return path in self._made

    def at(self, path: bytes) -> Iterator[int]:
        """The numbers of the entries with exactly this path, in the order of the tar."""
        paths = self.sorted_paths
        for place in range(bisect_left(paths, path), len(paths)):
            if paths[place] != path:
                return
            yield self.order[place]

    def below(self, path: bytes) -> Iterator[int]:
        """The numbers of the entries below a directory, sorted by path; "" is the root."""
        paths = self.sorted_paths
        if not path:
            yield from (self.order[place] for place in range(len(paths)) if paths[place])
            return
        # All paths that begin with the prefix lie before the prefix with its slash made the next byte.
        low, high = bisect_left(paths, path + b"/"), bisect_left(paths, path + b"0")
        yield from self.order[low:high]


def positions(kinds: bytes, kind: int) -> Iterator[int]:
    """The numbers of the entries of one kind."""
    number = kinds.find(kind)
    while number >= 0:
        yield number
        number = kinds.find(kind, number + 1)
