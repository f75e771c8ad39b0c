"""From the indexes of a chain's layers to its metadata image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from millefeuille.layers import tree
from millefeuille.layers.index import LayerIndex
from millefeuille.oci.digest import Digest
from millefeuille.snapshots.chain import LayerTar, chain_uuid
from millefeuille.snapshots.erofs.format import Device
from millefeuille.snapshots.erofs.image import write_image


def merged_image(chain: Digest, layers: Sequence[LayerTar], indexes: Iterable[LayerIndex]) -> bytearray:
    """The metadata image of `chain`: its layers and their indexes, both lowest first.

    The same for the same chain, whenever and wherever it is made. Raises BrokenLink, InvalidTree,
    ImageTooLarge, UnmappableFile.
    """
    devices = [Device(tag=layer.diff_id.hex, size=layer.size) for layer in layers]
    return write_image(tree.merge(indexes), devices, uuid=chain_uuid(chain))
