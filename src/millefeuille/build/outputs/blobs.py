"""Which blobs of the store a build's layers go into a manifest as."""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.build.outputs.finished import Finished
from millefeuille.errors import NotFound
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.store.images import LayerRecord
from millefeuille.store.store import Store


class MissingLayer(NotFound):
    """The store holds no blob of a layer that the build stands on."""


def blobs_of(store: Store, finished: Finished) -> tuple[Descriptor, ...]:
    """The blob of each layer, lowest first: as the base image has it, else plain, else as it once came.

    Raises MissingLayer.
    """
    return tuple(_blob(store, layer, finished.blobs.get(layer.diff_id)) for layer in finished.layers)


def _blob(store: Store, layer: LayerRecord, known: Descriptor | None) -> Descriptor:
    if known is not None:
        # An OCI manifest has no layers of Docker's types; the bytes are the same.
        kind = mediatype.as_oci(known.media_type)
        return Descriptor(media_type=kind, digest=known.digest, size=known.size)
    plain = Descriptor(media_type=mediatype.OCI_LAYER, digest=layer.diff_id, size=layer.tar_size)
    if store.blobs.holds(plain):
        return plain
    found = next((blob for blob in _came_as(store, layer.diff_id) if store.blobs.holds(blob)), None)
    if found is None:
        raise MissingLayer(f"layer {layer.diff_id}: its blob is not in the store")
    return found


def _came_as(store: Store, diff_id: Digest) -> Iterator[Descriptor]:
    with store.reading() as tx:
        rows = tx.execute(
            "SELECT digest, size, media_type FROM manifest_layers WHERE diff_id = ?"
            " GROUP BY digest ORDER BY digest",
            (str(diff_id),),
        ).fetchall()
    for digest, size, kind in rows:
        media_type = mediatype.as_oci(kind)
        yield Descriptor(media_type=media_type, digest=Digest.parse(digest), size=size)
