"""Making: a layer out of its members, in one pass straight into the store.

    members → tar → written, hashed and indexed while it streams by → claim → names

One file is all there is of it: the blob is the plain tar, and `layer.tar` its second name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from millefeuille import files
from millefeuille.layers.ingest import ALONE, LayerContent
from millefeuille.layers.stage import Stage
from millefeuille.layers.tarstream import Member, tar_pieces
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.store.images import LayerRecord
from millefeuille.store.ingest import making
from millefeuille.store.store import Store


def store_layer(
    store: Store, members: Iterable[Member], claim: Callable[[LayerContent], object]
) -> tuple[LayerRecord, LayerContent]:
    """Store the layer that has these members; what is to be recorded of it, and what the pass found.

    The caller holds a lease. `claim` is told of the layer before anything has a name, and adds its diff ID,
    which is its blob's digest too, to the lease; directories are the caller's to sync (`store_documents`).
    Equal members give an equal layer, and one that is there already is kept. Raises TarError for what no
    layer may hold, DiskFull, Failed, and what `members` and `claim` raise; then nothing is left.
    """
    with files.explained(f"the store {store.disk.root}", root=store.disk.root), making(store.disk) as layer:
        # Reading many small files keeps one processor busy, hashing and writing another.
        storing: Stage[bytes] = Stage("store", layer.feed)
        try:
            for piece in tar_pieces(members):
                if layer.offset < ALONE:
                    layer.feed(piece)
                else:
                    storing.put(piece)
            storing.close()
        finally:
            storing.stop()
        return layer.commit(None, claim=claim)


def made_blob(content: LayerContent) -> Descriptor:
    """The descriptor of the blob of a layer that was made here."""
    return Descriptor(media_type=mediatype.OCI_LAYER, digest=content.digest, size=content.size)
