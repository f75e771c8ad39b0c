"""Large contents that are only glanced at: who compares the files of one stack need not hash each of them.

Two contents of different sizes differ, and most of one size differ at once. So of a large content only the
first bytes are hashed, together with its size; where two files look the same by that, both are read again in
full. What is left has a digest that tells it from every other content of the same stack, and of no other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from blake3 import blake3

from millefeuille.annotations import Final
from millefeuille.layers.index import LayerIndex

ABOVE: Final = 64 << 10  # bytes; hashing less takes no longer than to be choosy
_FIRST: Final = 4096  # bytes that are looked at

Read = Callable[[int, int], Iterable[bytes]]  # the bytes of a layer's tar from an offset to another


class Glance:
    """Takes a content like a hash does; its digest is that of the size and the first bytes."""

    def __init__(self, size: int) -> None:
        self._hash = blake3(b"%d " % size)
        self._left = _FIRST

    def update(self, data: memoryview) -> None:
        """Look at what is left of the first bytes."""
        if self._left:
            taken = data[: self._left]
            self._hash.update(taken)
            self._left -= len(taken)

    def digest(self) -> bytes:
        """32 bytes."""
        return self._hash.digest()


def settled(layers: Sequence[tuple[LayerIndex, Read]]) -> list[LayerIndex]:
    """The indexes of a stack whose large contents were glanced at, with digests that tell all apart."""
    glances = [{entry: index.content(entry) for entry in _large(index)} for index, _ in layers]
    counts = Counter(chain.from_iterable(each.values() for each in glances))
    found = []
    for (index, read), digests in zip(layers, glances, strict=True):
        alike = [entry for entry, digest in digests.items() if counts[digest] > 1]
        contents = {entry: _content(index, entry, read) for entry in alike}
        found.append(index.with_contents(contents) if contents else index)
    return found


def _large(index: LayerIndex) -> list[int]:
    if max(index.sizes, default=0) <= ABOVE:
        return []
    sparse = index.sparse_maps  # whose contents are not what the tar holds
    return [entry for entry, size in enumerate(index.sizes) if size > ABOVE and entry not in sparse]


def _content(index: LayerIndex, entry: int, read: Read) -> bytes:
    hasher = blake3()
    begin = index.data_offset(entry)
    for piece in read(begin, begin + index.sizes[entry]):
        hasher.update(piece)
    return hasher.digest()
