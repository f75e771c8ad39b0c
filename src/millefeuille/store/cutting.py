"""Cutting: a layer of the store without some of its entries, the others byte for byte as they were."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

from millefeuille import files
from millefeuille.layers.header import BLOCK_SIZE
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.ingest import LayerContent
from millefeuille.store.filetree import verified_index
from millefeuille.store.images import LayerRecord
from millefeuille.store.ingest import making
from millefeuille.store.layers import DamagedLayer
from millefeuille.store.store import Store

_CHUNK = 1 << 20  # bytes
_END = bytes(2 * BLOCK_SIZE)


def cut_layer(
    store: Store, layer: LayerRecord, cuts: Mapping[int, bytes], claim: Callable[[LayerContent], object]
) -> tuple[LayerRecord, LayerContent]:
    """Store the layer with the bytes that `cuts` has in the place of entries, by their numbers.

    Everything else is as for `making.store_layer`. Raises DamagedLayer, DiskFull, Failed, TarError.
    """
    with files.explained(f"the store {store.disk.root}", root=store.disk.root):
        index = verified_index(store.disk, layer)
        descriptor = os.open(store.disk.tar(layer.diff_id), os.O_RDONLY | os.O_CLOEXEC)
        try:
            with making(store.disk) as made:
                for piece in _pieces(descriptor, index, cuts):
                    made.feed(piece)
                return made.commit(None, claim=claim)
        finally:
            os.close(descriptor)


def _pieces(descriptor: int, index: LayerIndex, cuts: Mapping[int, bytes]) -> Iterator[bytes]:
    """The new tar: runs of entries that stay, each copied as it lies there."""
    end = _data_end(index, len(index) - 1) if len(index) else 0
    at = 0
    for number in sorted(cuts):
        yield from _copied(descriptor, at, index.header_offset(number))
        yield cuts[number]
        at = index.header_offset(number + 1) if number + 1 < len(index) else end
    yield from _copied(descriptor, at, end)
    yield _END


def _data_end(index: LayerIndex, number: int) -> int:
    """Where in the tar the data of an entry end."""
    sparse = index.sparse(number)
    size = index.sizes[number] if sparse is None else sum(length for _, length in sparse)
    return index.data_offset(number) + -(-size // BLOCK_SIZE) * BLOCK_SIZE


def _copied(descriptor: int, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        data = os.pread(descriptor, min(_CHUNK, end - start), start)
        if not data and end - start >= BLOCK_SIZE:
            raise DamagedLayer("a layer's tar has become shorter while it was read")
        # A tar may end without what fills up its last block.
        yield data or bytes(end - start)
        start += len(data) or end - start
