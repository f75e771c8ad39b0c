"""What is kept of an image beside its layers, before the transaction that speaks of it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from millefeuille import files
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_id
from millefeuille.store import chains
from millefeuille.store.chains import Metadata, Prepare
from millefeuille.store.images import LayerRecord
from millefeuille.store.store import Store
from millefeuille.transfer.hardlinks import check_links
from millefeuille.transfer.plan import Plan


def store_documents(store: Store, image: Plan) -> None:
    """Store an image's documents, and make the names of all that is stored durable.

    Raises DiskFull, ReadOnlyStore, Failed, CorruptBlob.
    """
    with files.explained(f"the store {store.disk.root}", root=store.disk.root):
        for digest, raw in image.documents:
            store.blobs.put(digest, raw)
        store.blobs.settle()
        files.sync_directory(store.disk.layers)


def make_metadata(
    store: Store, image: Plan, records: Mapping[Digest, LayerRecord], prepare: Prepare | None
) -> tuple[Digest, Metadata] | None:
    """What the image's first mount needs, unless the store has it; None when there is nothing to record.

    Raises BrokenLink for layers that cannot be stacked, whether something is made or not.
    """
    chain = chain_id(image.config.diff_ids)
    if chain is None:
        return None
    with store.reading() as tx:
        if chains.metadata(tx, chain) is not None and os.path.exists(store.disk.chain(chain)):
            return None
    with files.explained(f"the store {store.disk.root}", root=store.disk.root):
        layers = [records[blob.digest] for blob in image.manifest.layers]
        made = prepare(store, layers) if prepare is not None else None
        if made is None:
            check_links(store, layers)
        return made
