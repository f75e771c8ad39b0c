"""Hard links: whether each in an image's layers leads to a file, before the image is recorded.

Who makes the image that erofs mounts finds out by itself; the other driver would at the first mount only.
"""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.later import Later
from millefeuille.store.images import LayerRecord
from millefeuille.store.layers import open_index
from millefeuille.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.layers import index as indexes
    from millefeuille.layers import stacked
else:
    indexes = Later("millefeuille.layers.index")
    stacked = Later("millefeuille.layers.stacked")


def check_links(store: Store, layers: Sequence[LayerRecord]) -> None:
    """Hold that the hard links of these layers, the lowest first, lead to files. Raises BrokenLink,
    CorruptIndex, DamagedLayer, FileNotFoundError.

    The parser has seen to those within one layer: without others, the facts of the indexes are all that is
    looked at.
    """
    opened = [indexes.LayerIndex.open(store.disk.layer_index(layer.diff_id)) for layer in layers]
    if any(index.lower_links for index in opened):
        stack = stacked.Stack([open_index(store.disk, layer) for layer in layers])
        for number, index in enumerate(opened):
            if index.lower_links:
                stack.check_links(number)
