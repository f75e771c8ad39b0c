"""Removal: which files go when an image goes.

A file stays while any image needs it or any live lease claims it. All of this is rows; the files are
renamed and unlinked when the transaction has been committed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from millefeuille.errors import Corrupt, Invalid, NotFound
from millefeuille.later import Later
from millefeuille.oci.digest import Digest
from millefeuille.store import leases
from millefeuille.store.blobs import Blobs
from millefeuille.store.chains import set_metadata
from millefeuille.store.leases import Lease
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.oci import manifest as documents
else:
    documents = Later("millefeuille.oci.manifest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """One image that went. `chains` are the stacks no other image has, highest first, with the bytes of
    regular files in each one's top layer.
    """

    image: Digest
    chains: tuple[tuple[Digest, int], ...]


def remove_image(tx: Transaction, image: Digest) -> Removed:
    """Remove an image, its names, and everything that only it needed but for indexes: whoever has removed all
    that is to go in the transaction drops those that are unused then.
    """
    key = str(image)
    claimed = leases.sweep(tx)
    blobs = _blobs(tx, key)
    diff_ids = _column(
        tx, "SELECT DISTINCT l.diff_id FROM manifest_layers l JOIN manifests m ON m.digest = l.manifest"
        " WHERE m.image = ?", key,
    )  # fmt: skip
    chain = tx.execute("SELECT chain FROM images WHERE id = ?", (key,)).fetchone()
    _forget(tx, key)
    chains = _free_chains(tx, chain[0] if chain else None, claimed)
    origins = _free_blobs(tx, blobs - claimed)
    _free_layers(tx, diff_ids - claimed)
    _forget_origins(tx, origins)
    tx.changed_names = True
    return Removed(image=image, chains=chains)


_STACK = """
WITH RECURSIVE stack(chain) AS (
    SELECT ? UNION SELECT parent FROM chains JOIN stack USING (chain) WHERE parent IS NOT NULL
) SELECT diff_id FROM chains JOIN stack USING (chain)
"""


def remove_container(tx: Transaction, id: str) -> None:
    """Forget a container, and everything that was kept for it alone."""
    claimed = leases.sweep(tx)
    row = tx.execute("SELECT chain FROM containers WHERE id = ?", (id,)).fetchone()
    tx.execute("DELETE FROM containers WHERE id = ?", (id,))
    if row is None or row[0] is None:
        return
    diff_ids = _column(tx, _STACK, row[0])
    _free_chains(tx, row[0], claimed)
    _free_layers(tx, diff_ids - claimed)


def remove_steps(tx: Transaction, keys: Iterable[str]) -> None:
    """Forget steps of builds, and everything that was kept for them alone."""
    claimed = leases.sweep(tx)
    diff_ids: set[str] = set()
    chains: set[str] = set()
    for key in keys:
        for diff_id, chain in tx.execute("SELECT diff_id, chain FROM build_steps WHERE key = ?", (key,)):
            diff_ids.add(diff_id)
            chains.add(chain)
        tx.execute("DELETE FROM build_steps WHERE key = ?", (key,))
    for chain in chains:
        diff_ids |= _column(tx, _STACK, chain)
    for chain in chains:
        _free_chains(tx, chain, claimed)
    _free_blobs(tx, diff_ids - claimed)
    _free_layers(tx, diff_ids - claimed)


def end_lease(tx: Transaction, lease: Lease) -> None:
    """Drop a lease's rows, and the blobs that it claimed and nothing needs, such as those that were made to
    be taken elsewhere. Done again, it changes nothing.
    """
    disk = tx.disk
    items = {Digest.parse(item) for item in _column(tx, _CLAIMED, lease.id)}
    leases.release(tx, lease)
    claimed = leases.sweep(tx)
    blobs = {item for item in items if os.path.exists(disk.blob(item)) and str(item) not in claimed}
    _free_blobs(tx, map(str, blobs))
    gone = {blob for blob in blobs if disk.blob(blob) in tx.doomed}
    for diff_id in items:
        # Which layer a blob was made of is in no row before an image has it.
        for path in (disk.origin(diff_id, blob) for blob in gone):
            if os.path.exists(path):
                tx.doom(path)


_CLAIMED = "SELECT item FROM lease_items WHERE lease = ?"


def drop_unused_indexes(tx: Transaction) -> None:
    """Remove the indexes that no name and no repository digest points to any more.

    It reads the indexes that stay, so it is for the end of a transaction.
    """
    _forget_origins(tx, _free_blobs(tx, _unused_indexes(tx) - leases.sweep(tx)))


def _column(tx: Transaction, query: str, *values: str) -> set[str]:
    return {row[0] for row in tx.execute(query, values).fetchall()}


def _blobs(tx: Transaction, image: str) -> set[str]:
    manifests = _column(tx, "SELECT digest FROM manifests WHERE image = ?", image)
    layers = _column(
        tx, "SELECT l.digest FROM manifest_layers l JOIN manifests m ON m.digest = l.manifest"
        " WHERE m.image = ?", image,
    )  # fmt: skip
    return {image} | manifests | layers


def _forget(tx: Transaction, image: str) -> None:
    tx.execute("DELETE FROM names WHERE image = ?", (image,))
    tx.execute("DELETE FROM name_platforms WHERE image = ?", (image,))
    tx.execute("DELETE FROM repo_digests WHERE image = ?", (image,))
    tx.execute(
        "DELETE FROM manifest_layers WHERE manifest IN (SELECT digest FROM manifests WHERE image = ?)",
        (image,),
    )
    tx.execute("DELETE FROM manifests WHERE image = ?", (image,))
    tx.execute("DELETE FROM images WHERE id = ?", (image,))


def _free_chains(tx: Transaction, chain: str | None, claimed: set[str]) -> tuple[tuple[Digest, int], ...]:
    """Drop the chains from `chain` down to the first that something else stands on or claims."""
    freed: list[tuple[Digest, int]] = []
    if chain is not None and chain not in claimed:
        _drop_metadata(tx, chain)
    while chain is not None and chain not in claimed and not _is_used(tx, chain):
        row = tx.execute(
            "SELECT parent, content_size, metadata_hash FROM chains JOIN layers USING (diff_id)"
            " WHERE chain = ?", (chain,),
        ).fetchone()  # fmt: skip
        if row is None:
            break
        if row[2] is not None:  # what a step of a build stood on was mounted, too
            tx.doom(tx.disk.chain(Digest.parse(chain)))
        tx.execute("DELETE FROM chains WHERE chain = ?", (chain,))
        if os.path.isdir(extraction := tx.disk.extraction(Digest.parse(chain))):
            tx.doom(extraction)
        freed.append((Digest.parse(chain), row[1]))
        chain = row[0]
    return tuple(freed)


def _drop_metadata(tx: Transaction, chain: str) -> None:
    """Only whole images are mounted: under another image's layers, a chain needs no metadata image."""
    query = "SELECT 1 FROM chains WHERE chain = :c AND metadata_hash IS NOT NULL"
    heads = "SELECT 1 FROM images WHERE chain = :c UNION ALL SELECT 1 FROM containers WHERE chain = :c"
    heads += " UNION ALL SELECT 1 FROM build_steps WHERE chain = :c"
    if tx.execute(f"{query} AND NOT EXISTS ({heads})", {"c": chain}).fetchone() is not None:
        set_metadata(tx, Digest.parse(chain), None)
        tx.doom(tx.disk.chain(Digest.parse(chain)))


# UNION ALL, here and below: without ALL every user is read before the first one comes.
_USED = """
SELECT 1 FROM chains WHERE parent = :c UNION ALL SELECT 1 FROM images WHERE chain = :c
UNION ALL SELECT 1 FROM containers WHERE chain = :c UNION ALL SELECT 1 FROM build_steps WHERE chain = :c
LIMIT 1
"""


def _is_used(tx: Transaction, chain: str) -> bool:
    return tx.execute(_USED, {"c": chain}).fetchone() is not None


def _unused_indexes(tx: Transaction) -> set[str]:
    """Drop the indexes that nothing points to any more; their digests, and those of their attachments."""
    unused = _column(
        tx, "SELECT digest FROM indexes WHERE digest NOT IN (SELECT target FROM names)"
        " AND digest NOT IN (SELECT digest FROM repo_digests)",
    )  # fmt: skip
    if unused:
        unused -= _below(tx, _column(tx, "SELECT digest FROM indexes") - unused)
    attached = {
        row[0]
        for digest in unused
        for row in tx.execute("SELECT digest FROM attachments WHERE owner = ?", (digest,)).fetchall()
    }
    tx.executemany("DELETE FROM indexes WHERE digest = ?", [(digest,) for digest in unused])
    return unused | attached


def _below(tx: Transaction, indexes: set[str]) -> set[str]:
    """The indexes that lie within others, at any depth: no name points to them, but they are needed."""
    known, blobs = _column(tx, "SELECT digest FROM indexes"), Blobs(tx.disk)
    found: set[str] = set()
    waiting = [*indexes]
    while waiting:
        try:
            document = documents.parse(blobs.read(Digest.parse(waiting.pop())))
        except (NotFound, Corrupt, Invalid):  # a damaged one leads nowhere
            continue
        entries = document.manifests if isinstance(document, documents.Index) else ()
        new = ({str(entry.digest) for entry in entries} & known) - found
        found |= new
        waiting += new
    return found


_NEEDED = """
SELECT 1 FROM manifest_layers WHERE digest = :d UNION ALL SELECT 1 FROM manifests WHERE digest = :d
UNION ALL SELECT 1 FROM images WHERE id = :d UNION ALL SELECT 1 FROM indexes WHERE digest = :d
UNION ALL SELECT 1 FROM build_steps WHERE diff_id = :d UNION ALL SELECT 1 FROM attachments WHERE digest = :d
LIMIT 1
"""


def _free_blobs(tx: Transaction, digests: Iterable[str]) -> list[tuple[str, str]]:
    """Drop the blobs nobody needs; those of layers with the diff ID of each."""
    origins: list[tuple[str, str]] = []
    for digest in sorted(digests):
        if tx.execute(_NEEDED, {"d": digest}).fetchone() is None:
            origins += tx.execute("SELECT diff_id, digest FROM layer_blobs WHERE digest = ?", (digest,))
            tx.execute("DELETE FROM layer_blobs WHERE digest = ?", (digest,))
            tx.execute("DELETE FROM sources WHERE digest = ?", (digest,))
            tx.doom(tx.disk.blob(Digest.parse(digest)))
    return origins


def _forget_origins(tx: Transaction, origins: Iterable[tuple[str, str]]) -> None:
    """A layer that stays was not made from a blob that went."""
    for diff_id, digest in origins:
        if tx.execute("SELECT 1 FROM layers WHERE diff_id = ?", (diff_id,)).fetchone() is not None:
            tx.doom(tx.disk.origin(Digest.parse(diff_id), Digest.parse(digest)))


_HELD = """
SELECT 1 FROM manifest_layers WHERE diff_id = :d UNION ALL SELECT 1 FROM chains WHERE diff_id = :d
UNION ALL SELECT 1 FROM build_steps WHERE diff_id = :d LIMIT 1
"""


def _free_layers(tx: Transaction, diff_ids: Iterable[str]) -> None:
    for diff_id in sorted(diff_ids):
        if tx.execute(_HELD, {"d": diff_id}).fetchone() is None:
            tx.execute("DELETE FROM layers WHERE diff_id = ?", (diff_id,))
            tx.doom(tx.disk.layer(Digest.parse(diff_id)))
