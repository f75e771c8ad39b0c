"""Derive: a layer's tar and index again, from its blob in the store."""

from __future__ import annotations

from millefeuille import files
from millefeuille.layers.ingest import CHUNK
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.store.images import LayerRecord
from millefeuille.store.ingest import ingest
from millefeuille.store.store import Store


def derive(store: Store, blob: Descriptor, diff_id: Digest) -> LayerRecord:
    """Make the layer again; it takes the place of what is left of it.

    Raises BlobNotFound, CorruptBlob, OSError.
    """
    source = store.blobs.open(blob)
    with (
        files.explained(f"layer {diff_id}", root=store.disk.root),
        source,
        ingest(store.disk, blob, lambda: None) as layer,
    ):
        while chunk := source.read(CHUNK):
            layer.feed(chunk)
        record, _ = layer.commit(diff_id, replace=True)
    files.sync_directory(store.disk.layers)
    return record
