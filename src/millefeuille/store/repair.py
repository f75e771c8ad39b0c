"""Repair: what `check` found made right, as far as the bytes are there.

What can be made again is made again: the database from index.json, layers from their blobs, metadata images
from layers. A damaged blob is set aside, never deleted; the next pull of its image brings it back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from millefeuille import files
from millefeuille.errors import MilleError
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.store import chains, leases, names, privacy, recording
from millefeuille.store.blobs import CorruptBlob
from millefeuille.store.chains import Prepare
from millefeuille.store.check import Problem, Report, check
from millefeuille.store.derive import derive
from millefeuille.store.disk import LAYOUT, strangers
from millefeuille.store.rebuild import rebuild, set_aside
from millefeuille.store.store import Store


def repair(
    store: Store, found: Report, *, data: bool = False, prepare: Prepare | None = None,
    container: Callable[[str], str] | None = None,
) -> tuple[str, ...]:
    """Mend what `check` found, with `data` as thorough; a sentence on each thing done or lost.

    Without `prepare`, damaged metadata images are dropped; the next mount makes them. `container` sets aside
    what cannot be read of the container with an ID, and says so; without it that stays.

    Raises LockTimeout, StoreInUse, DiskFull, ReadOnlyStore, OSError.
    """
    done: list[str] = []
    if any(problem.kind == "database" for problem in found.problems):
        rebuilt = rebuild(store, prepare)
        done.append(f"rebuilt the database: {rebuilt.images} images")
        done += [f"lost: {loss}" for loss in rebuilt.losses]
        found = check(store, data=data)
    done += _drop_names(store, [problem.subject for problem in found.problems if problem.kind == "name"])
    if damaged := [problem for problem in found.problems if problem.kind in _MENDERS]:
        done += _mend(store, damaged, prepare)
    # Finishes removals, and writes index.json where it is behind; on a full disk too.
    with store.writing(emergency=True) as tx:
        leases.sweep(tx)
    if container is not None:
        done += [container(problem.subject) for problem in found.problems if problem.kind == "container"]
    if any(problem.kind == "layout" for problem in found.problems):
        files.replace_file(f"{store.disk.root}/oci-layout", LAYOUT)
        done.append("wrote oci-layout again")
    if any(problem.kind == "root" for problem in found.problems):
        done.append(_close(store.disk.root))
    if any(problem.kind == "mirror" for problem in found.problems):
        done.append(_mirror(store))
    return tuple(done)


def _mend(store: Store, damaged: Sequence[Problem], prepare: Prepare | None) -> list[str]:
    done = []
    with leases.lease(store.disk, "check") as lease:
        for problem in damaged:
            lease.claim([Digest.parse(problem.subject)])
            done.append(_MENDERS[problem.kind](store, problem, prepare))
        with store.writing() as tx:
            leases.release(tx, lease)
    return done


def _drop_names(store: Store, wrong: Sequence[str]) -> list[str]:
    if not wrong:
        return []
    with store.writing() as tx:
        for name in wrong:
            names.unassign(tx, name)
    return [f"dropped the name {name}; its image stays" for name in wrong]


def _close(root: str) -> str:
    """Keep other users out, unless the directory is not the store's alone."""
    if others := strangers(os.listdir(root)):
        return f"{root} stays open to other users: {others[0]} in it is not the store's"
    with files.explained(f"the store {root}", root=root):
        privacy.mend(root)
    return f"closed {root} to other users"


def _mirror(store: Store) -> str:
    if check(store).problems:
        set_aside(store, store.disk.index)
        with store.writing():
            pass
    return "wrote index.json again"


def _mend_blob(store: Store, problem: Problem, prepare: Prepare | None) -> str:
    digest = Digest.parse(problem.subject)
    path = store.disk.blob(digest)
    if not os.path.exists(path):
        return f"lost: blob {digest} is missing; pull its image again"
    moved = set_aside(store, path)
    files.sync_directory(os.path.dirname(path))
    return f"lost: blob {digest} is damaged, moved to {moved}; pull its image again"


def _mend_layer(store: Store, problem: Problem, prepare: Prepare | None) -> str:
    diff_id = Digest.parse(problem.subject)
    with store.reading() as tx:
        rows = tx.execute(
            "SELECT DISTINCT digest, size, media_type FROM manifest_layers WHERE diff_id = ?", (str(diff_id),)
        ).fetchall()
    reason: MilleError = CorruptBlob("no blob holds it")
    for digest, size, media_type in rows:
        try:
            record = derive(
                store, Descriptor(media_type=media_type, digest=Digest.parse(digest), size=size), diff_id
            )
        except MilleError as error:
            reason = error
            continue
        with store.writing() as tx:
            recording.record_layers(tx, [record])
        return f"made layer {diff_id} again from its blob"
    return f"lost: layer {diff_id}: {reason}"


def _mend_chain(store: Store, problem: Problem, prepare: Prepare | None) -> str:
    """Make the metadata image again, or forget it: whoever mounts the chain first makes it."""
    chain = Digest.parse(problem.subject)
    with store.reading() as tx:
        layers = chains.layers_of_chain(tx, chain)
    files.unlink(store.disk.chain(chain))
    made = None
    try:
        with files.explained(f"chain {chain}", root=store.disk.root):
            prepared = prepare(store, layers) if prepare is not None else None
            made = prepared[1] if prepared is not None else None
    except MilleError as error:
        return f"lost: metadata image of chain {chain}: {error}"
    finally:
        with store.writing() as tx:
            chains.set_metadata(tx, chain, made)
    return f"made the metadata image of chain {chain} again" if made else f"dropped chain {chain}'s metadata"


def _mend_extraction(store: Store, problem: Problem, prepare: Prepare | None) -> str:
    """Set it aside: who uses it goes on with it, and the next use of the chain extracts it anew."""
    chain = Digest.parse(problem.subject)
    moved = set_aside(store, store.disk.extraction(chain))
    files.sync_directory(store.disk.extracted)
    return f"moved what was extracted of chain {chain} to {moved}"


_MENDERS = {
    "blob": _mend_blob, "layer": _mend_layer, "chain": _mend_chain, "extraction": _mend_extraction,
}  # fmt: skip
