"""Stored layers: the files of a chain's layers, held against what the store recorded of them."""

from __future__ import annotations

import os
from collections.abc import Sequence

from millefeuille.errors import Corrupt
from millefeuille.later import Later, blake3
from millefeuille.snapshots.chain import LayerTar
from millefeuille.store.images import LayerRecord
from millefeuille.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.layers import index
else:
    index = Later("millefeuille.layers.index")


class DamagedChain(Corrupt):
    """A layer of the chain is not what was recorded of it."""


def tars(store: Store, layers: Sequence[LayerRecord]) -> tuple[LayerTar, ...]:
    """Where the layers' tars lie."""
    return tuple(
        LayerTar(diff_id=layer.diff_id, path=store.disk.tar(layer.diff_id), size=layer.tar_size)
        for layer in layers
    )


def check_sizes(store: Store, layers: Sequence[LayerRecord]) -> None:
    """Hold that the tars have the sizes on record. Raises DamagedChain, FileNotFoundError."""
    for layer in layers:
        if os.stat(store.disk.tar(layer.diff_id)).st_size != layer.tar_size:
            raise damaged(layer)


def open_index(store: Store, layer: LayerRecord) -> index.LayerIndex:
    """The layer's index, held against its hash. Raises DamagedChain, FileNotFoundError."""
    path = store.disk.layer_index(layer.diff_id)
    if hash_of(path) != layer.index_hash:
        raise damaged(layer)
    return index.LayerIndex.open(path)


def hash_of(path: str) -> str:
    """blake3 of a file, in hex."""
    return blake3.blake3().update_mmap(path).hexdigest()


def damaged(layer: LayerRecord) -> DamagedChain:
    """What to raise of a layer that is not what was recorded."""
    return DamagedChain(
        f"layer {layer.diff_id}: damaged in the store", advice="Mend it with `mille system check --repair`."
    )
