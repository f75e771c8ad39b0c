"""Stored chains extracted: one directory for each chain, with what its top layer changes in the ones below.

    extracted/<chain hex>/fs      complete and on the disk, never changed again
    ingest/extract-<chain hex>/   being made; locked by whoever makes it, else left by a crash

A chain is extracted when it is first used, under a lease. What a crash leaves is removed by the next use of
the chain, or by `image prune`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence

from millefeuille import files, kernel
from millefeuille.annotations import Final
from millefeuille.layers.tree import Merger
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.snapshots.overlay.difference import difference
from millefeuille.snapshots.overlay.extract import extract
from millefeuille.snapshots.snapshotter import Marks
from millefeuille.snapshots.storedlayers import check_sizes, open_index
from millefeuille.store import chains, leases
from millefeuille.store.images import LayerRecord
from millefeuille.store.store import Store

_PATIENCE: Final = 3600.0  # seconds to wait for another process that extracts the same layer


def extracted_chain(store: Store, chain: Digest, *, marks: Marks) -> tuple[str, ...]:
    """The directories that show a chain when laid over each other, the topmost first; made when missing.

    Raises NoSuchChain, DamagedChain, UnmappedOwner, DiskFull, LockTimeout, OSError; then nothing half-made
    stays.
    """
    with store.reading() as tx:
        layers = chains.layers_of_chain(tx, chain)
    ids = [*chain_ids(layer.diff_id for layer in layers)]
    if not all(_is_there(store, id) for id in ids):
        claims = [*ids, *(layer.diff_id for layer in layers)]
        with (
            files.explained(f"extract chain {chain}", root=store.disk.root),
            leases.lease(store.disk, f"extraction of {chain}", claims),
        ):
            with store.reading() as tx:  # it may have gone before it was claimed
                layers = chains.layers_of_chain(tx, chain)
            check_sizes(store, layers)
            _make(store, ids, layers, marks)
    return tuple(f"{store.disk.extraction(id)}/fs" for id in reversed(ids))


def _make(store: Store, ids: Sequence[Digest], layers: Sequence[LayerRecord], marks: Marks) -> None:
    """Extract what is missing. The locks are taken from the bottom up, as everybody does."""
    with contextlib.ExitStack() as stack:
        places = [stack.enter_context(_place(store, id)) for id in ids]
        if not any(places):
            return
        tars = [_opened(store.disk.tar(layer.diff_id), stack) for layer in layers]
        merger = Merger()
        for place, layer in zip(places, layers, strict=True):
            index = open_index(store, layer)
            if place is None:
                merger.add(index)
                continue
            changed = difference(merger, index)
            files.make_directory(f"{place}/fs")
            root = _opened(f"{place}/fs", stack, os.O_DIRECTORY)
            extract(root, changed, tars, marks=marks)
        files.act("syncfs", store.disk.extracted)
        kernel.syncfs(_opened(store.disk.extracted, stack, os.O_DIRECTORY))
        for place, id in zip(places, ids, strict=True):
            if place is not None:
                files.rename(place, store.disk.extraction(id))
        files.sync_directory(store.disk.extracted)


@contextlib.contextmanager
def _place(store: Store, chain: Digest) -> Iterator[str | None]:
    """An empty directory to extract a chain in, this process's own within the block; None when it is there.

    What is in it is removed, unless it has been renamed.
    """
    path = f"{store.disk.ingest}/extract-{chain.hex}"
    descriptor = None
    while descriptor is None:
        if _is_there(store, chain):
            yield None
            return
        descriptor = _locked(path, chain)
    try:
        # Who looked before another one's rename has made the directory anew after it.
        if complete := _is_there(store, chain):
            files.remove_tree(path)
        else:
            files.remove_tree(f"{path}/fs")
        yield None if complete else path
    finally:
        # Under another name it is complete; under this one it is nobody's after the lock is gone.
        if not _is_there(store, chain):
            files.remove_tree(path)
        files.release(descriptor)


def _locked(path: str, chain: Digest) -> int | None:
    """The directory at `path`, locked; None when whoever had it has finished, and to be looked at again."""
    files.make_directory(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        files.lock(descriptor, f"the extraction of {chain}", timeout=_PATIENCE)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                return descriptor
    except BaseException:
        files.release(descriptor)
        raise
    files.release(descriptor)
    return None


def _is_there(store: Store, chain: Digest) -> bool:
    return os.path.isdir(store.disk.extraction(chain))


def _opened(path: str, stack: contextlib.ExitStack, flags: int = 0) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    stack.callback(os.close, descriptor)
    return descriptor
