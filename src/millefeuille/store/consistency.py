"""Consistency: whether the database's rows agree with each other, and with the documents they were made from.

SQLite finds damage to its own structure. A value that became another one it cannot see; but whatever is said
of an image is in its config and its manifests, too, and from these the rows are made once more beside those
that are there. What no document says (names, containers, steps of builds) must lead to something.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from millefeuille.annotations import Any, Final, NamedTuple
from millefeuille.errors import Invalid
from millefeuille.oci import config as image_config
from millefeuille.oci import manifest as documents
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.oci.manifest import Manifest
from millefeuille.store import database, recording
from millefeuille.store.blobs import BlobNotFound, Blobs, CorruptBlob
from millefeuille.store.database import BrokenDatabase
from millefeuille.store.images import LayerRecord, layers
from millefeuille.store.names import misnomers
from millefeuille.store.sqlite import sqlite3
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction

# What the documents say of an image. When it came, and which manifest first, only the database says.
_TABLES: Final = {
    "images": "id, chain, created, created_ns, size, platform, labels, config_size",
    "manifests": "digest, image, media_type, size",
    "manifest_layers": "manifest, position, digest, media_type, size, diff_id",
}
# Each finds rows that lead nowhere, or that say one thing in two ways.
_LOOSE: Final = {
    "a name": "SELECT name FROM names WHERE name <> repository || ':' || tag OR target NOT IN (%(targets)s)",
    "a name's platform": "SELECT name FROM name_platforms p WHERE NOT EXISTS "
    "(SELECT 1 FROM manifests m WHERE m.digest = p.manifest AND m.image = p.image)",
    "a repository's digest": "SELECT digest FROM repo_digests WHERE digest NOT IN (%(targets)s)",
    "an image's first manifest": "SELECT id FROM images i WHERE NOT EXISTS "
    "(SELECT 1 FROM manifests m WHERE m.digest = i.manifest AND m.image = i.id)",
    "a parent": "SELECT parent FROM images WHERE parent NOT IN (SELECT id FROM images)",
    "a layer's blob": "SELECT b.digest FROM layer_blobs b JOIN manifest_layers l USING (digest) "
    "WHERE b.diff_id <> l.diff_id",
    "a layer": "SELECT diff_id FROM %(layers)s EXCEPT SELECT diff_id FROM layers",
    "a chain": "SELECT chain FROM %(chains)s WHERE chain NOT NULL EXCEPT SELECT chain FROM chains",
}  # fmt: skip
_NAMED: Final = {
    "targets": "SELECT digest FROM manifests UNION SELECT digest FROM indexes",
    "layers": "(SELECT diff_id FROM manifest_layers UNION SELECT diff_id FROM chains "
    "UNION SELECT diff_id FROM build_steps)",
    "chains": "(SELECT chain FROM images UNION SELECT chain FROM containers "
    "UNION SELECT chain FROM build_steps UNION SELECT parent FROM chains)",
}  # fmt: skip


class Rows(NamedTuple):
    """What the database says: the columns of _TABLES, layers by their diff IDs, sizes of other documents."""

    tables: Mapping[str, frozenset[tuple[Any, ...]]]
    layers: Mapping[Digest, LayerRecord]
    sizes: Mapping[Digest, int]


@contextlib.contextmanager
def understood() -> Iterator[None]:
    """Take what cannot be read in a row for damage. Raises BrokenDatabase."""
    try:
        yield
    except (Invalid, ValueError, TypeError, sqlite3.Error) as error:
        raise BrokenDatabase(f"holds what nobody wrote ({error})") from error


def rows(tx: Transaction) -> Rows:
    """What `contradiction` holds against documents. Raises BrokenDatabase."""
    integrity = tx.execute("PRAGMA integrity_check").fetchone()[0]
    if integrity != "ok":
        raise BrokenDatabase(str(integrity))
    for table, *_ in tx.execute("PRAGMA foreign_key_check"):
        raise BrokenDatabase(f"a row of {table} leads nowhere")
    odd = frozenset(misnomers(tx))  # told for themselves
    for what, query in _LOOSE.items():
        for (text,) in tx.execute(query % _NAMED):
            if what != "a name" or text not in odd:
                raise BrokenDatabase(f"{what} leads nowhere ({text})")
    for chain, parent, diff_id in tx.execute("SELECT chain, parent, diff_id FROM chains"):
        stack = [Digest.parse(text) for text in (parent, diff_id) if text]
        if [*chain_ids(stack)][-1] != Digest.parse(chain):
            raise BrokenDatabase(f"a chain is not that of its layers ({chain})")
    tables = {name: frozenset(tx.execute(f"SELECT {what} FROM {name}")) for name, what in _TABLES.items()}
    sizes = tx.execute("SELECT digest, size FROM indexes UNION SELECT digest, size FROM attachments")
    return Rows(
        tables, {record.diff_id: record for record in layers(tx)},
        {Digest.parse(digest): size for digest, size in sizes},
    )  # fmt: skip


def contradiction(found: Rows, store: Store) -> str:
    """What of the images' rows is not as their documents say; "" where all is. Damaged blobs are passed over.

    Raises what parsing them does.
    """
    for digest, size in found.sizes.items():
        # What has the right digest has the right size, too.
        if digest in store.blobs and store.blobs.size(digest) != size and store.blobs.verify(digest):
            return f"a document has another size ({digest})"
    with contextlib.closing(database.blank()) as connection:
        again = Transaction(connection, store.disk)
        known: set[str] = set()  # images and manifests that were made again
        for digest, image, media_type, size in found.tables["manifests"]:
            descriptor = Descriptor(media_type=media_type, digest=Digest.parse(digest), size=size)
            with contextlib.suppress(BlobNotFound, CorruptBlob):
                _record(again, found, store.blobs, descriptor, image)
                known |= {digest, image}
        for name, columns in _TABLES.items():
            made = frozenset(again.execute(f"SELECT {columns} FROM {name}"))
            said = {row for row in found.tables[name] if row[0] in known}
            for row in sorted(made ^ said, key=str):
                return f"a row of {name} is not what the documents of {row[0]} say"
    return ""


def _record(again: Transaction, found: Rows, blobs: Blobs, descriptor: Descriptor, image: str) -> None:
    """Make the rows of one manifest again."""
    raw = blobs.read(descriptor.digest)
    manifest = documents.parse(raw, descriptor.media_type)
    if len(raw) != descriptor.size:
        raise BrokenDatabase(f"a manifest has another size ({descriptor.digest})")
    if not isinstance(manifest, Manifest) or str(manifest.config.digest) != image:
        raise BrokenDatabase(f"a manifest is not of its image ({descriptor.digest})")
    config = image_config.parse(blobs.read(manifest.config.digest))
    missing = [diff_id for diff_id in config.diff_ids if diff_id not in found.layers]
    if missing:
        raise BrokenDatabase(f"a layer of an image is not recorded ({missing[0]})")
    records = [found.layers[diff_id] for diff_id in config.diff_ids]
    recording.add_image(again, config, manifest, descriptor, records)
