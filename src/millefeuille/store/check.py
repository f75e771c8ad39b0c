"""Check: whether a store is what its database says.

A problem is something that a later command would trip over or answer wrongly. Files that nobody owns are no
problem; they are counted, and `image prune` removes them.

The rows are read first and the files after that, so that no writer waits for a long check; what is found
amiss counts only if the database still speaks of it then.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping

from blake3 import blake3

from millefeuille import files
from millefeuille.layers.index import LayerIndex
from millefeuille.oci.digest import Digest
from millefeuille.store import consistency, layers, mirror, names, privacy, sweep
from millefeuille.store.chains import Metadata
from millefeuille.store.consistency import understood
from millefeuille.store.database import BrokenDatabase
from millefeuille.store.disk import LAYOUT, NoStore
from millefeuille.store.images import LayerRecord, layer
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction, has_lost_database
from millefeuille.values import dataclass

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong. `kind` is one of database, mirror, layout, root, name, blob, layer,
    chain, extraction and container, `subject` a path for the first four, a name for the fifth, the ID of a
    container, else a digest.
    """

    kind: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check found. `orphans` is the bytes of files that nobody owns."""

    problems: tuple[Problem, ...]
    blobs: int = 0
    layers: int = 0
    images: int = 0
    orphans: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Promised:
    """What the database says must be there."""

    blobs: dict[Digest, int]
    layers: dict[Digest, LayerRecord]
    chains: dict[Digest, Metadata]
    names: frozenset[str]
    images: int
    orphans: int


# What is wrong with extracted chains, by what knows how they were extracted.
Extractions = Callable[[bool], Mapping[Digest, str]]
# What is wrong with what is kept of containers, by their IDs, by what knows its form.
Containers = Callable[[], Mapping[str, str]]


def check(
    store: Store, *, data: bool = False, extractions: Extractions | None = None,
    containers: Containers | None = None,
) -> Report:
    """Look at everything; with `data` read every byte. Changes nothing. Raises NoStore, OSError.

    What lies extracted is looked at where `extractions` is given; it is told whether to read every byte. So
    are the records of containers where `containers` is given.
    """
    if not store.exists():
        raise NoStore(f"{store.disk.root}: no store here")
    if has_lost_database(store.disk):
        return _broken(store, "missing, but there are images")
    if not os.path.exists(store.disk.database):
        return Report(problems=tuple(_root_problems(store)))
    try:
        with understood():
            with store.reading() as tx:
                rows = consistency.rows(tx)
                promised = _promised(tx)
            if wrong := consistency.contradiction(rows, store):
                return _broken(store, wrong)
            mirrored = [*_mirror_problems(store)]
        found = (*mirrored, *_layout_problems(store), *_root_problems(store))
        found += tuple(_problems(store, promised, data=data))
        for chain, wrong in (extractions(data) if extractions is not None else {}).items():
            found += (Problem(kind="extraction", subject=str(chain), message=wrong),)
        for id, wrong in (containers() if containers is not None else {}).items():
            found += (Problem(kind="container", subject=id, message=wrong),)
        with store.reading() as tx:
            still = _promised(tx)
    except BrokenDatabase as error:
        return _broken(store, str(error).removeprefix(f"{store.disk.database}: "))
    return Report(
        problems=tuple(problem for problem in found if _concerns(problem, still)),
        blobs=len(promised.blobs), layers=len(promised.layers), images=promised.images,
        orphans=promised.orphans,
    )  # fmt: skip


def _broken(store: Store, message: str) -> Report:
    return Report(problems=(Problem(kind="database", subject=store.disk.database, message=message),))


_SIZES = """
SELECT digest, size FROM manifests UNION SELECT digest, size FROM indexes
UNION SELECT digest, size FROM manifest_layers UNION SELECT id, config_size FROM images
UNION SELECT digest, size FROM attachments ORDER BY 1
"""


def _promised(tx: Transaction) -> _Promised:
    diff_ids = [Digest.parse(row[0]) for row in tx.execute("SELECT DISTINCT diff_id FROM manifest_layers")]
    made = tx.execute("SELECT chain, metadata_size, metadata_hash FROM chains WHERE metadata_hash NOT NULL")
    return _Promised(
        blobs={Digest.parse(digest): size for digest, size in tx.execute(_SIZES)},
        layers={diff_id: record for diff_id in diff_ids if (record := layer(tx, diff_id)) is not None},
        chains={Digest.parse(chain): Metadata(size=size, hash=hash) for chain, size, hash in made},
        names=frozenset(names.misnomers(tx)),
        images=tx.execute("SELECT count(*) FROM images").fetchone()[0],
        orphans=sum(sweep.size(path) for path in sweep.unowned(tx)),
    )


def _concerns(problem: Problem, promised: _Promised) -> bool:
    """False for what was removed while the check was running."""
    if problem.kind == "name":
        return problem.subject in promised.names
    kinds = {"blob": set(promised.blobs), "layer": set(promised.layers), "chain": set(promised.chains)}
    return problem.kind not in kinds or Digest.parse(problem.subject) in kinds[problem.kind]


def _mirror_problems(store: Store) -> Iterator[Problem]:
    if _mirror_problem(store) is None:
        return
    # A command may be between its commit and index.json; its lock says when it is done.
    waited = contextlib.ExitStack()
    with waited:
        with contextlib.suppress(OSError):
            waited.enter_context(files.locked(store.disk.lock, f"the store {store.disk.root}"))
        problem = _mirror_problem(store)
    if problem is not None:
        yield problem


def _mirror_problem(store: Store) -> Problem | None:
    path = store.disk.index
    with store.reading() as tx:
        number = mirror.sequence(tx.execute)
        expected = mirror.render(tx.execute, number)
    written = mirror.written(path)
    if written > number:
        return Problem(kind="database", subject=store.disk.database, message="older than index.json")
    if written != number:
        return Problem(kind="mirror", subject=path, message="index.json is behind the database")
    with open(path, "rb") as file:
        if file.read() != expected:
            return Problem(kind="mirror", subject=path, message="index.json is damaged")
    return None


def _layout_problems(store: Store) -> Iterator[Problem]:
    """Without this file, other tools take the root for no image layout."""
    path = f"{store.disk.root}/oci-layout"
    try:
        with open(path, "rb") as file:
            held = file.read(len(LAYOUT) + 1)
    except FileNotFoundError:
        yield Problem(kind="layout", subject=path, message="missing")
        return
    if held != LAYOUT:
        yield Problem(kind="layout", subject=path, message="damaged")


def _root_problems(store: Store) -> Iterator[Problem]:
    if message := privacy.openness(store.disk.root):
        yield Problem(kind="root", subject=store.disk.root, message=message)


def _misnomer(name: str) -> str:
    if "@" in name:
        return "holds a digest, so nothing is found by it"
    return "is like an ID, so it hides the image that has that"


def _problems(store: Store, promised: _Promised, *, data: bool) -> Iterator[Problem]:
    for name in sorted(promised.names):
        yield Problem(kind="name", subject=name, message=_misnomer(name))
    for digest, size in promised.blobs.items():
        if message := _blob_problem(store, digest, size, data=data):
            yield Problem(kind="blob", subject=str(digest), message=message)
    for diff_id, record in promised.layers.items():
        if message := _layer_problem(store, record, data=data):
            yield Problem(kind="layer", subject=str(diff_id), message=message)
    for chain, metadata in promised.chains.items():
        if message := _chain_problem(store.disk.chain(chain), metadata, data=data):
            yield Problem(kind="chain", subject=str(chain), message=message)


def _blob_problem(store: Store, digest: Digest, size: int, *, data: bool) -> str:
    if digest not in store.blobs:
        return "missing"
    held = store.blobs.size(digest)
    if held != size:
        return f"{held} bytes instead of {size}"
    return "" if not data or store.blobs.verify(digest) else "does not match its digest"


def _layer_problem(store: Store, record: LayerRecord, *, data: bool) -> str:
    disk = store.disk
    if not layers.is_intact(disk, record):
        return "its tar or index is missing or has the wrong size"
    if _blake3(disk.layer_index(record.diff_id)) != record.index_hash:
        return "its index is damaged"
    index = LayerIndex.open(disk.layer_index(record.diff_id))
    if (len(index), index.content_size) != (record.entries, record.content_size):
        return "what is recorded of it is not what its index says"
    matches = not data or _matches(disk.tar(record.diff_id), record.diff_id)
    return "" if matches else "its tar does not match the diff ID"


def _chain_problem(path: str, metadata: Metadata, *, data: bool) -> str:
    if not os.path.exists(path) or os.stat(path).st_size != metadata.size:
        return "its metadata image is missing or has the wrong size"
    return "its metadata image is damaged" if data and _blake3(path) != metadata.hash else ""


def _blake3(path: str) -> str:
    with open(path, "rb") as file:
        return blake3(file.read()).hexdigest()


def _matches(path: str, digest: Digest) -> bool:
    hasher = digest.hasher()
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
    return bool(hasher.hexdigest() == digest.hex)
