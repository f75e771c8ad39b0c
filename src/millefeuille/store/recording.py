"""Recording: the rows of an image whose files are all on the disk."""

from __future__ import annotations

import time
from collections.abc import Iterable

from millefeuille.oci.config import ImageConfig
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.oci.manifest import Manifest
from millefeuille.oci.moment import nanoseconds
from millefeuille.plainjson import dumps
from millefeuille.store.images import COLUMNS, LayerRecord
from millefeuille.store.transaction import Transaction


def add_image(
    tx: Transaction,
    config: ImageConfig,
    manifest: Manifest,
    descriptor: Descriptor,
    layers: Iterable[LayerRecord],
    *,
    parent: Digest | None = None,
) -> Digest:
    """Record an image whose blobs and layers are all on the disk; recording it again changes nothing.

    `descriptor` is the manifest's own; `layers` are in its order. Gives the image ID.
    """
    records = tuple(layers)
    image = manifest.config.digest
    chains = tuple(chain_ids(record.diff_id for record in records))
    record_layers(tx, records)
    add_chains(tx, records, chains)
    new = tx.execute(
        f"INSERT OR IGNORE INTO images ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (
            str(image), str(descriptor.digest), str(chains[-1]) if chains else None,
            str(parent) if parent else None, config.created, nanoseconds(config.created),
            sum(record.content_size for record in records), str(config.platform),
            dumps(dict(config.labels), sort_keys=True), manifest.config.size, time.time_ns(),
        ),
    ).rowcount  # fmt: skip
    new += tx.execute(
        "INSERT OR IGNORE INTO manifests VALUES (?,?,?,?)",
        (str(descriptor.digest), str(image), descriptor.media_type, descriptor.size),
    ).rowcount
    tx.executemany(
        "INSERT OR IGNORE INTO manifest_layers VALUES (?,?,?,?,?,?)",
        [
            (str(descriptor.digest), n, str(d.digest), d.media_type, d.size, str(record.diff_id))
            for n, (d, record) in enumerate(zip(manifest.layers, records, strict=True))
        ],
    )
    tx.changed_names |= new > 0
    return image


def add_index(tx: Transaction, descriptor: Descriptor, attached: Iterable[Descriptor] = ()) -> None:
    """Record an index whose bytes are on the disk, with what of its attachments is there too."""
    new = tx.execute(
        "INSERT OR IGNORE INTO indexes VALUES (?,?,?)",
        (str(descriptor.digest), descriptor.media_type, descriptor.size),
    ).rowcount
    tx.changed_names |= new > 0
    tx.executemany(
        "INSERT OR IGNORE INTO attachments VALUES (?,?,?,?)",
        [(str(descriptor.digest), str(one.digest), one.media_type, one.size) for one in attached],
    )


def add_layer_blob(tx: Transaction, blob: Descriptor, diff_id: Digest) -> None:
    """Remember which uncompressed layer a blob holds."""
    tx.execute(
        "INSERT OR IGNORE INTO layer_blobs VALUES (?,?,?)",
        (str(blob.digest), str(diff_id), blob.size),
    )


def record_layers(tx: Transaction, records: Iterable[LayerRecord]) -> None:
    """Record layers that are on the disk; one that was made again, from another blob, has another index."""
    tx.executemany(
        "INSERT OR REPLACE INTO layers VALUES (?,?,?,?,?,?)",
        [
            (str(r.diff_id), r.tar_size, r.content_size, r.entries, r.index_size, r.index_hash)
            for r in records
        ],
    )


def add_chains(tx: Transaction, records: tuple[LayerRecord, ...], chains: tuple[Digest, ...]) -> None:
    """Record every stack that these layers make, lowest first, under its chain ID."""
    parents = (None, *map(str, chains))
    tx.executemany(
        "INSERT OR IGNORE INTO chains (chain, parent, diff_id, depth) VALUES (?,?,?,?)",
        [
            (str(chain), parents[n], str(records[n].diff_id), n + 1)
            for n, chain in enumerate(chains)
        ],
    )  # fmt: skip
