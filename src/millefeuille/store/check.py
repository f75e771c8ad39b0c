"""Check: whether a store is what its database says, and making it so again.

A problem is something that a later command would trip over or answer wrongly. Files that nobody owns are no
problem; they are counted, and `image prune` removes them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from blake3 import blake3

from millefeuille import files
from millefeuille.errors import MilleError
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.store import layers, leases, mirror, sweep
from millefeuille.store.blobs import CorruptBlob
from millefeuille.store.database import BrokenDatabase
from millefeuille.store.derive import derive
from millefeuille.store.disk import NoStore
from millefeuille.store.images import LayerRecord, images, layer
from millefeuille.store.rebuild import rebuild, set_aside
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong. `subject` is a digest or a path, `kind` one of database, mirror,
    blob and layer.
    """

    kind: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check found. `orphans` is the bytes of files that nobody owns."""

    problems: tuple[Problem, ...]
    blobs: int
    layers: int
    images: int
    orphans: int


def check(store: Store, *, data: bool = False) -> Report:
    """Look at everything; with `data` read every byte. Changes nothing. Raises NoStore, OSError."""
    if not store.exists():
        raise NoStore(f"{store.disk.root}: no store here")
    lost = not os.path.exists(store.disk.database) and mirror.written(store.disk.index) > 0
    if lost or not os.path.exists(store.disk.database):
        problems = (_database(store, "missing, but index.json lists images"),) if lost else ()
        return Report(problems=problems, blobs=0, layers=0, images=0, orphans=0)
    try:
        with store.reading() as tx:
            return _check(store, tx, data=data)
    except BrokenDatabase as error:
        problem = _database(store, str(error))
        return Report(problems=(problem,), blobs=0, layers=0, images=0, orphans=0)


def repair(store: Store, found: Report) -> tuple[str, ...]:
    """Mend what `check` found, as far as the bytes are there; a sentence on each thing done or lost."""
    done: list[str] = []
    if any(problem.kind == "database" for problem in found.problems):
        rebuilt = rebuild(store)
        done.append(f"rebuilt the database: {rebuilt.images} images")
        done += [f"lost: {loss}" for loss in rebuilt.losses]
        found = check(store)
    for problem in found.problems:
        if problem.kind in ("blob", "layer"):
            done.append(_mend(store, problem))
    with store.writing() as tx:  # finishes removals, and writes index.json where it is behind
        leases.sweep(tx)
    return tuple(done)


def _database(store: Store, message: str) -> Problem:
    return Problem(kind="database", subject=store.disk.database, message=message)


def _check(store: Store, tx: Transaction, *, data: bool) -> Report:
    problems: list[Problem] = []
    integrity = tx.execute("PRAGMA quick_check").fetchone()[0]
    if integrity != "ok":
        problems.append(_database(store, str(integrity)))
    if mirror.written(store.disk.index) > mirror.sequence(tx.execute):
        problems.append(_database(store, "older than index.json"))
    elif mirror.written(store.disk.index) != mirror.sequence(tx.execute):
        message = "index.json is behind the database"
        problems.append(Problem(kind="mirror", subject=store.disk.index, message=message))
    blobs = tuple(_needed_blobs(tx))
    for digest, size in blobs:
        problems += _blob_problems(store, digest, size, data=data)
    diff_ids = [Digest.parse(row[0]) for row in tx.execute("SELECT diff_id FROM layers").fetchall()]
    for diff_id in diff_ids:
        record = layer(tx, diff_id)
        if record is not None:
            problems += _layer_problems(store, record, data=data)
    return Report(
        problems=tuple(problems), blobs=len(blobs), layers=len(diff_ids),
        images=sum(1 for _ in images(tx)), orphans=sum(sweep.size(path) for path in sweep.unowned(tx)),
    )  # fmt: skip


_SIZES = """
SELECT digest, size FROM manifests UNION SELECT digest, size FROM indexes
UNION SELECT digest, size FROM manifest_layers UNION SELECT id, config_size FROM images ORDER BY 1
"""


def _needed_blobs(tx: Transaction) -> Iterator[tuple[Digest, int]]:
    for digest, size in tx.execute(_SIZES).fetchall():
        yield Digest.parse(digest), size


def _blob_problems(store: Store, digest: Digest, size: int, *, data: bool) -> Iterator[Problem]:
    def problem(message: str) -> Problem:
        return Problem(kind="blob", subject=str(digest), message=message)

    if digest not in store.blobs:
        yield problem("missing")
    elif store.blobs.size(digest) != size:
        yield problem(f"{store.blobs.size(digest)} bytes instead of {size}")
    elif data and not store.blobs.verify(digest):
        yield problem("does not match its digest")


def _layer_problems(store: Store, record: LayerRecord, *, data: bool) -> Iterator[Problem]:
    def problem(message: str) -> Problem:
        return Problem(kind="layer", subject=str(record.diff_id), message=message)

    disk = store.disk
    if not layers.is_intact(disk, record):
        yield problem("its tar or index is missing or has the wrong size")
        return
    with open(disk.layer_index(record.diff_id), "rb") as file:
        if blake3(file.read()).hexdigest() != record.index_hash:
            yield problem("its index is damaged")
    if data and not _matches(disk.tar(record.diff_id), record.diff_id):
        yield problem("its tar does not match the diff ID")


def _matches(path: str, digest: Digest) -> bool:
    hasher = digest.hasher()
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
    return bool(hasher.hexdigest() == digest.hex)


def _mend(store: Store, problem: Problem) -> str:
    digest = Digest.parse(problem.subject)
    if problem.kind == "blob":
        return _quarantine(store, digest)
    with store.reading() as tx:
        row = tx.execute(
            "SELECT digest, size, media_type FROM manifest_layers WHERE diff_id = ?", (str(digest),)
        ).fetchone()
    try:
        if row is None:
            raise CorruptBlob("no blob holds it")
        blob = Descriptor(media_type=row[2], digest=Digest.parse(row[0]), size=row[1])
        derive(store, blob, digest)
    except MilleError as error:
        return f"lost: layer {digest}: {error}"
    return f"made layer {digest} again from its blob"


def _quarantine(store: Store, digest: Digest) -> str:
    path = store.disk.blob(digest)
    if os.path.exists(path):
        moved = set_aside(store, path)
        files.sync_directory(os.path.dirname(path))
        return f"lost: blob {digest} is damaged, moved to {moved}; pull its image again"
    return f"lost: blob {digest} is missing; pull its image again"
