"""Sweep: files in the store that nothing owns, left by processes that were cut off.

Only what can be classified is touched, and only while no process holds a lease: an ingest without a lease
does not exist, so an unowned file is nobody's.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from millefeuille import files
from millefeuille.oci.digest import Digest
from millefeuille.store import leases, removal
from millefeuille.store.transaction import Transaction


def orphans(tx: Transaction) -> int:
    """Doom every ownerless file, drop rows that own nothing; the bytes they take. Runs in a transaction."""
    leases.sweep(tx)
    if leases.anyone(tx.disk, clears=not tx.is_rehearsal):
        return 0
    removal.drop_unused_indexes(tx)
    tx.execute(f"DELETE FROM chains WHERE chain NOT IN ({_NEEDED_CHAINS})")
    tx.execute(
        "UPDATE chains SET metadata_size = NULL, metadata_hash = NULL"
        f" WHERE chain NOT IN ({_HEADS})"
    )
    doomed = set(tx.doomed)
    paths = [path for path in unowned(tx) if path not in doomed]
    for path in paths:
        tx.doom(path)
    _drop_rows(tx)
    return sum(size(path) for path in paths)


def unowned(tx: Transaction) -> Iterator[str]:
    """Paths of blobs, layers, metadata images and temporary files that no row needs."""
    disk = tx.disk
    yield from _unowned_blobs(tx)
    yield from _unowned_layers(tx)
    chains = {Digest.parse(row[0]).hex for row in tx.execute(_METADATA)}
    for name in sorted(os.listdir(disk.chains)):
        if name.partition(".")[0] not in chains or not name.endswith(".erofs"):
            yield f"{disk.chains}/{name}"
    yield from _unowned_extractions(tx)
    for directory in (disk.ingest, disk.trash):
        yield from (f"{directory}/{name}" for name in sorted(os.listdir(directory)))
    for directory in (disk.root, f"{disk.root}/analysis"):
        for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
            if ".tmp-" in name or ".new-" in name:
                yield f"{directory}/{name}"


def size(path: str) -> int:
    """The bytes a file or directory takes, 0 when it is gone."""
    inodes = (status for status in files.inodes(path) if not stat.S_ISDIR(status.st_mode))
    return 512 * sum({status.st_ino: status.st_blocks for status in inodes}.values())


# The chains that are mounted: those of whole images, and those that containers and steps of builds stand on.
_HEADS = """
SELECT chain FROM images WHERE chain IS NOT NULL UNION SELECT chain FROM containers WHERE chain IS NOT NULL
UNION SELECT chain FROM build_steps
"""
# A chain that a lease kept, whose image never came, stands on nothing that is needed.
_NEEDED_CHAINS = f"""
WITH RECURSIVE needed(chain) AS (
    SELECT chain FROM ({_HEADS})
    UNION SELECT parent FROM chains JOIN needed USING (chain) WHERE parent IS NOT NULL
) SELECT chain FROM needed
"""
_METADATA = f"SELECT chain FROM chains WHERE metadata_hash IS NOT NULL AND chain IN ({_HEADS})"
_NEEDED_LAYERS = """
SELECT diff_id FROM manifest_layers UNION SELECT diff_id FROM chains UNION SELECT diff_id FROM build_steps
"""
_NEEDED_BLOBS = """
SELECT digest FROM manifest_layers UNION SELECT digest FROM manifests UNION SELECT id FROM images
UNION SELECT digest FROM indexes UNION SELECT digest FROM attachments UNION SELECT diff_id FROM build_steps
"""


def _unowned_blobs(tx: Transaction) -> Iterator[str]:
    needed = {row[0] for row in tx.execute(_NEEDED_BLOBS)}
    root = f"{tx.disk.root}/blobs"
    for algorithm in sorted(os.listdir(root)):
        for name in sorted(os.listdir(f"{root}/{algorithm}")):
            if f"{algorithm}:{name}" not in needed:
                yield f"{root}/{algorithm}/{name}"


def _unowned_layers(tx: Transaction) -> Iterator[str]:
    """Layers nobody needs; of the others, what says that they were made from blobs that are gone."""
    layers: dict[str, set[str]] = {}
    for diff_id, blob in tx.execute("SELECT diff_id, digest FROM manifest_layers"):
        layers.setdefault(Digest.parse(diff_id).hex, set()).add("from-" + blob.replace(":", "-"))
    for (diff_id,) in tx.execute("SELECT diff_id FROM chains"):
        layers.setdefault(Digest.parse(diff_id).hex, set())
    for layer in sorted(os.listdir(tx.disk.layers)):
        path = f"{tx.disk.layers}/{layer}"
        if layer not in layers:
            yield path
            continue
        with contextlib.suppress(FileNotFoundError):  # whoever only looks may be too late
            for name in sorted(os.listdir(path)):
                if name.startswith("from-") and name not in layers[layer]:
                    yield f"{path}/{name}"


def _unowned_extractions(tx: Transaction) -> Iterator[str]:
    chains = {Digest.parse(row[0]).hex for row in tx.execute("SELECT chain FROM chains")}
    directory = tx.disk.extracted
    for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
        if name not in chains:
            yield f"{directory}/{name}"


def _drop_rows(tx: Transaction) -> None:
    tx.execute(f"DELETE FROM layers WHERE diff_id NOT IN ({_NEEDED_LAYERS})")
    tx.execute("DELETE FROM layer_blobs WHERE digest NOT IN (SELECT digest FROM manifest_layers)")
    tx.execute("DELETE FROM sources WHERE digest NOT IN (SELECT digest FROM manifest_layers)")
