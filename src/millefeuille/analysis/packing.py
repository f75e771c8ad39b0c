"""Packing: what of a compressed layer each of its entries takes.

While a layer was inflated, its index noted now and then which compressed byte belongs to which byte of the
tar; between two such points every byte of the tar is taken to weigh the same. An entry takes what lies
between its first header and the next entry's, so the shares of a layer's entries add up to its blob.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

from millefeuille.layers.index import LayerIndex


class Packing:
    """The shares of one layer's entries in a blob of `size` bytes, which the index need not come from."""

    def __init__(self, index: LayerIndex, size: int) -> None:
        self._index = index
        self.size = size

    def share(self, entry: int) -> int:
        """About how many compressed bytes an entry takes."""
        start = self._index.header_offset(entry) if entry else 0
        last = entry + 1 == len(self._index)
        end = self._index.tar_size if last else self._index.header_offset(entry + 1)
        return self._position(end) - self._position(start)

    def _position(self, tar: int) -> int:
        whole = self._index.compressed_size
        if tar >= self._index.tar_size or not whole:
            return self.size if tar >= self._index.tar_size else 0
        places, points = self._places, self._points
        at = max(bisect_right(places, tar), 1)
        (before, low), (after, high) = points[at - 1], points[min(at, len(points) - 1)]
        near = low + (high - low) * (tar - before) // (after - before) if after > before else low
        return near * self.size // whole

    @cached_property
    def _points(self) -> list[tuple[int, int]]:
        return self._index.points

    @cached_property
    def _places(self) -> list[int]:
        return [tar for tar, _ in self._points]
