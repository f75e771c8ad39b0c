"""Push: an image from the store into a repository; every byte as it was stored.

name → lease → name again → layers that never were compressed → blobs that the repository lacks,
      several at a time → manifests → the tag, last → one transaction: where it is now
"""

from __future__ import annotations

import contextlib
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from millefeuille.annotations import Protocol
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.progress import Finished, LayerDone, LayerFound, Progress, Warned
from millefeuille.store import events, leases, names
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction
from millefeuille.store.transit import transit
from millefeuille.transfer.compressed import pack, record_packed
from millefeuille.transfer.outgoing import Outgoing
from millefeuille.transfer.plan import Plan
from millefeuille.transfer.shipment import NothingToPush, Outbound, Shipment, gather, outbound
from millefeuille.transfer.source import Opener

__all__ = ["NothingToPush", "PushTarget", "push"]

PARALLEL = 5  # uploads at once, as Docker


class PushTarget(Protocol):
    """A repository that is written to."""

    def __contains__(self, digest: Digest) -> bool:
        """True when the repository has the blob."""

    def mount(self, digest: Digest, from_repository: str) -> bool:
        """Take a blob over from another repository of the registry."""

    def upload(self, blob: Descriptor, source: Opener) -> None:
        """Send a blob."""

    def put_manifest(self, manifest: Descriptor, raw: bytes, tag: str | None = None) -> None:
        """Store a manifest."""


def push(
    store: Store, repository: PushTarget, reference: Reference, progress: Progress,
    *, platform: Platform | None = None, as_stored: bool = False,
    nameless: tuple[Digest, Digest] | None = None,
) -> Digest:  # fmt: skip
    """Send what the tagged `reference` names, to `repository`; the digest it has there.

    With `platform`, that one's manifest alone; with `as_stored`, layers that never were compressed stay so.
    `nameless` is an index or a manifest, and an image of it, that goes instead, and gets no tag there.
    Raises NothingToPush, and what the repository and the store raise.
    """
    def look() -> Shipment:
        with store.reading() as tx:
            return gather(tx, store, reference, platform, nameless)

    purpose = f"push {reference.familiar}"
    held = leases.upheld(store.disk, purpose, look, lambda found: found.digests)
    with held as (shipment, lease), transit(lease):
        shipment, packed = (shipment, None) if as_stored else pack(store, shipment, lease)
        with store.reading() as tx:
            made = {blob.digest: diff_id for blob, diff_id in packed.layers} if packed else {}
            blobs = outbound(tx, shipment, reference, made)
        _send_blobs(store, repository, blobs, progress)
        *rest, (target, document) = shipment.documents
        for descriptor, below in rest:
            repository.put_manifest(descriptor, below.raw)
        repository.put_manifest(target, document.raw, reference.tag if nameless is None else None)
        with store.writing() as tx:
            _record(tx, reference, shipment, blobs, packed)
    if shipment.note:
        progress.report(Warned(message=shipment.note))
    progress.report(Finished(digest=target.digest, size=target.size, status=""))
    return target.digest


def _send_blobs(
    store: Store, repository: PushTarget, blobs: tuple[Outbound, ...], progress: Progress
) -> None:
    for one in blobs:
        if one.diff_id is not None:
            progress.report(LayerFound(digest=one.diff_id, total=one.blob.size, exists=False))
    with ThreadPoolExecutor(PARALLEL, "push") as pool:
        jobs = [pool.submit(_send, store, repository, progress, one) for one in blobs]
        done, _ = wait(jobs, return_when=FIRST_EXCEPTION)
        for job in jobs:
            job.cancel()
    for job in done:
        job.result()


def _send(store: Store, repository: PushTarget, progress: Progress, one: Outbound) -> None:
    outcome, origin, blob, diff_id = "pushed", "", one.blob, one.diff_id
    if blob.digest in repository:
        outcome = "exists"
    else:
        origin = next((source for source in one.sources if repository.mount(blob.digest, source)), "")
        if origin:
            outcome = "mounted"
        else:
            with contextlib.closing(Outgoing(store.blobs, blob, diff_id, progress)) as outgoing:
                repository.upload(blob, outgoing.open)
    if diff_id is not None:
        progress.report(LayerDone(digest=diff_id, outcome=outcome, source=origin))


def _record(
    tx: Transaction, reference: Reference, shipment: Shipment, blobs: tuple[Outbound, ...],
    packed: Plan | None,
) -> None:  # fmt: skip
    """Remember where the image and its layers are now."""
    exists = tx.execute("SELECT 1 FROM images WHERE id = ?", (str(shipment.image),)).fetchone()
    if exists is None:
        return  # removed meanwhile
    if packed is not None:
        record_packed(tx, packed)
    names.add_repo_digest(tx, reference.name, shipment.target.digest, shipment.image)
    for one in blobs:
        if one.diff_id is not None:
            tx.execute("INSERT OR IGNORE INTO sources VALUES (?,?)", (str(one.blob.digest), reference.name))
    events.record(tx, "push", reference.familiar, {"name": reference.familiar_name})
