"""Layers on the disk: what can be said of one from its files alone."""

from __future__ import annotations

import os
from collections.abc import Iterator

from millefeuille.errors import Corrupt
from millefeuille.later import Later, blake3
from millefeuille.oci.digest import Digest
from millefeuille.store.disk import Disk
from millefeuille.store.images import LayerRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.layers import index as indexes
else:
    indexes = Later("millefeuille.layers.index")


class DamagedLayer(Corrupt):
    """A layer's files are not what was made from its blob."""


def is_intact(disk: Disk, record: LayerRecord) -> bool:
    """True when a layer's tar and index are there with the sizes on record."""
    try:
        tar = os.stat(disk.tar(record.diff_id)).st_size
        index = os.stat(disk.layer_index(record.diff_id)).st_size
    except FileNotFoundError:
        return False
    return tar == record.tar_size and index == record.index_size


def open_index(disk: Disk, record: LayerRecord) -> indexes.LayerIndex:
    """A layer's index, held against its hash on record. Raises DamagedLayer, FileNotFoundError."""
    path = disk.layer_index(record.diff_id)
    if blake3.blake3().update_mmap(path).hexdigest() != record.index_hash:
        raise DamagedLayer(
            f"layer {record.diff_id}: damaged in the store",
            advice="Mend it with `mille system check --repair`.",
        )
    return indexes.LayerIndex.open(path)


def is_made_from(disk: Disk, diff_id: Digest, blob: Digest) -> bool:
    """True when the layer `diff_id` is on the disk and known to be what is in `blob`."""
    return os.path.exists(disk.origin(diff_id, blob))


def measure(disk: Disk, diff_id: Digest) -> LayerRecord:
    """The record of a layer, from its files: the index checked whole, the tar by its size.

    Raises OSError, Corrupt when either is damaged.
    """
    path = disk.layer_index(diff_id)
    with open(path, "rb") as file:
        index_hash = blake3.blake3(file.read()).hexdigest()
    index = indexes.LayerIndex.open(path)
    index.verify()
    tar_size = os.stat(disk.tar(diff_id)).st_size
    if tar_size != index.tar_size:
        raise DamagedLayer(f"layer {diff_id}: its tar has {tar_size} bytes instead of {index.tar_size}")
    return LayerRecord(
        diff_id=diff_id,
        tar_size=tar_size,
        content_size=index.content_size,
        entries=len(index),
        index_size=os.stat(path).st_size,
        index_hash=index_hash,
    )


def on_disk(disk: Disk) -> Iterator[Digest]:
    """The diff IDs of all layers on the disk."""
    for name in sorted(os.listdir(disk.layers)):
        if len(name) == 64:
            yield Digest("sha256", name)
