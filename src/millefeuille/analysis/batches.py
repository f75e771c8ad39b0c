"""Batches: the contents that lie in the same layers, the same number of times in each.

A store of thousands of images has millions of files and few batches: what only one layer has is one, and what
two releases of a base have in common is one more. All that is asked of several layers is asked of batches.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from millefeuille.analysis.layer import Layer
from millefeuille.annotations import Final
from millefeuille.oci.digest import Digest
from millefeuille.values import dataclass

Counts = Mapping[bytes, tuple[int, int]]  # of each content the number of files, and the size of one

_NOWHERE: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How often each layer holds each of the contents, and the bytes of one copy of all of them."""

    copies: Mapping[Digest, int]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """A content that several layers hold: its hash, its size, and how often each of the layers does."""

    content: bytes
    size: int
    copies: Mapping[Digest, int]

    @property
    def layers(self) -> tuple[Digest, ...]:
        """The layers, in the order in which they were gathered."""
        return tuple(self.copies)

    @property
    def extra(self) -> int:
        """Bytes that one layer with all of it would save."""
        return self.size * again(self.copies)


def again(copies: Mapping[Digest, int]) -> int:
    """The copies besides those of the layer that has most, as these may be meant: at several paths of it."""
    return sum(copies.values()) - max(copies.values())


def counts(layer: Layer) -> Counts:
    """What a layer holds; files without content count nothing."""
    found: dict[bytes, tuple[int, int]] = {}
    for content, size in zip(layer.index.contents(), layer.sizes, strict=True):
        if content and size:
            found[content] = (found[content][0] + 1 if content in found else 1, size)
    return found


class Batches:
    """Gathers batches from one layer after the other; of a content it keeps no more than its batch."""

    def __init__(self) -> None:
        # A batch is told by that of the layers before its last one, and this layer: content of a thousand
        # layers has been in a thousand batches, one after the other.
        self._steps: list[tuple[int, Digest, int] | None] = [None]
        self._sizes: list[int] = [0]
        self._next: dict[tuple[int, Digest, int], int] = {}
        self._places: dict[bytes, int] = {}
        self._repeated: dict[bytes, int] = {}

    def add(self, digest: Digest, held: Counts) -> None:
        """Take in a layer, each once."""
        for content, (count, size) in held.items():
            before = self._places.get(content, _NOWHERE)
            step = (before, digest, count)
            place = self._next.get(step)
            if place is None:
                place = self._next[step] = len(self._steps)
                self._steps.append(step)
                self._sizes.append(0)
            if before != _NOWHERE:
                self._sizes[before] -= size
                self._repeated[content] = size
            self._sizes[place] += size
            self._places[content] = place

    def all(self) -> tuple[Batch, ...]:
        """The batches of all layers so far."""
        return tuple(
            Batch(copies=self._copies(place), size=size) for place, size in enumerate(self._sizes) if size
        )

    def repeated(self, limit: int) -> Sequence[Repeated]:
        """The contents that several layers hold, those first that would save most."""
        sizes, places = self._repeated, self._places
        extra = {place: again(self._copies(place)) for place in {places[content] for content in sizes}}
        gains = ((-sizes[content] * extra[places[content]], content) for content in sizes)
        return [
            Repeated(content=content, size=sizes[content], copies=self._copies(places[content]))
            for _, content in heapq.nsmallest(limit, gains)
        ]

    def _copies(self, place: int) -> Mapping[Digest, int]:
        found: list[tuple[Digest, int]] = []
        step = self._steps[place]
        while step is not None:
            place, digest, count = step
            found.append((digest, count))
            step = self._steps[place]
        return dict(reversed(found))
