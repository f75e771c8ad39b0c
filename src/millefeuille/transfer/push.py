"""Push: an image from the store into a repository; every byte as it was stored.

blobs that the repository lacks, several at a time → manifests → the tag, last
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

from millefeuille.errors import NotFound
from millefeuille.oci import manifest as documents
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.manifest import Index, Manifest
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.progress import Finished, LayerDone, LayerFound, Progress, Warned
from millefeuille.store import events, images, names
from millefeuille.store.images import LayerBlob
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction
from millefeuille.transfer.outgoing import Outgoing
from millefeuille.transfer.source import Opener

PARALLEL = 5  # uploads at once, as Docker


class NothingToPush(NotFound):
    """The name holds no image, or none for the platform."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """What goes: blobs first, then `manifests`, the last of them under the tag.

    `blobs` hold, beside each descriptor, the diff ID by which progress calls a layer (None for a config),
    and the repositories of the same registry that have it.
    """

    blobs: tuple[tuple[Descriptor, Digest | None, tuple[str, ...]], ...]
    manifests: tuple[tuple[Descriptor, bytes], ...]
    image: Digest
    note: str = ""

    @property
    def target(self) -> Descriptor:
        """What the tag will point to."""
        return self.manifests[-1][0]


def push(
    store: Store, repository: PushTarget, reference: Reference, progress: Progress,
    *, platform: Platform | None = None,
) -> Digest:  # fmt: skip
    """Send what the tagged `reference` names, to `repository`; the digest it has there.

    With `platform`, that one's manifest alone. Raises NothingToPush, and what the repository and the store
    raise.
    """
    with store.reading() as tx:
        shipment = prepare(tx, store, reference, platform)
    _send_blobs(store, repository, shipment, progress)
    *rest, (target, raw) = shipment.manifests
    for descriptor, body in rest:
        repository.put_manifest(descriptor, body)
    repository.put_manifest(target, raw, reference.tag)
    with store.writing() as tx:
        _record(tx, reference, shipment)
    if shipment.note:
        progress.report(Warned(message=shipment.note))
    progress.report(Finished(digest=target.digest, size=target.size, status=""))
    return target.digest


def prepare(tx: Transaction, store: Store, reference: Reference, platform: Platform | None) -> Shipment:
    """Gather what `reference` names. Raises NothingToPush, BlobNotFound, CorruptBlob."""
    held = names.target(tx, reference)
    if held is None:
        raise NothingToPush(f"tag does not exist: {reference.familiar}")
    target, image = held
    document = documents.parse(store.blobs.read(target), what=reference.familiar)
    note = ""
    if isinstance(document, Index):
        missing = [entry for entry in document.manifests if entry.digest not in store.blobs]
        if platform is not None or missing:
            chosen = _chosen(tx, document, reference, platform)
            if platform is None:
                note = (
                    "Not all multiplatform-content is present and only the available single-platform image "
                    f"was pushed: {target} -> {chosen.digest}"
                )
            document = documents.parse(store.blobs.read(chosen.digest), chosen.media_type)
    elif platform is not None:
        _check_platform(tx, reference, image, platform)
    manifests = _with_children(store, document.descriptor(target.algorithm), document)
    blobs = {blob[0].digest: blob for found in manifests for blob in _blobs(tx, *found, reference)}
    return Shipment(
        blobs=tuple(blobs.values()),
        manifests=tuple((descriptor, found.raw) for descriptor, found in manifests),
        image=image, note=note,
    )  # fmt: skip


def _chosen(tx: Transaction, index: Index, reference: Reference, platform: Platform | None) -> Descriptor:
    """The entry of an index that is here: the one asked for, else the one the name stands for."""
    if platform is not None:
        return documents.choose(index, platform, reference.familiar)
    row = tx.execute(
        "SELECT manifest FROM name_platforms p JOIN names n USING (name)"
        " WHERE name = ? AND p.image = n.image",
        (str(reference),),
    ).fetchone()
    for entry in index.manifests:
        if row and str(entry.digest) == row[0]:
            return entry
    raise NothingToPush(
        f"image with reference {reference.familiar} was found but does not provide any platform"
    )


def _check_platform(tx: Transaction, reference: Reference, image: Digest, platform: Platform) -> None:
    row = tx.execute("SELECT platform FROM images WHERE id = ?", (str(image),)).fetchone()
    if Platform.parse(row[0]) != platform:
        raise NothingToPush(
            f"image with reference {reference.familiar} was found but its platform ({row[0]}) "
            f"does not match the specified platform ({platform})"
        )


def _with_children(
    store: Store, descriptor: Descriptor, document: Manifest | Index
) -> list[tuple[Descriptor, Manifest | Index]]:
    """A document after all that it refers to, each beside its descriptor."""
    below: list[tuple[Descriptor, Manifest | Index]] = []
    for entry in document.manifests if isinstance(document, Index) else ():
        child = documents.parse(store.blobs.read(entry.digest), entry.media_type)
        below += _with_children(store, entry, child)
    return [*below, (descriptor, document)]


def _blobs(
    tx: Transaction, descriptor: Descriptor, document: Manifest | Index, reference: Reference
) -> Sequence[tuple[Descriptor, Digest | None, tuple[str, ...]]]:
    if isinstance(document, Index):
        return ()
    known = {blob.digest: blob for blob in images.blobs_of(tx, descriptor.digest)}
    layers = [(layer, _diff_id(known, layer), _sources(tx, layer, reference)) for layer in document.layers]
    # Docker names the top layer first.
    return [*reversed(layers), (document.config, None, ())]


def _diff_id(known: Mapping[Digest, LayerBlob], layer: Descriptor) -> Digest:
    return known[layer.digest].diff_id if layer.digest in known else layer.digest


def _sources(tx: Transaction, layer: Descriptor, reference: Reference) -> tuple[str, ...]:
    """Repositories of the same registry that are known to have a layer."""
    prefix = f"{reference.registry}/"
    rows = tx.execute("SELECT repository FROM sources WHERE digest = ? ORDER BY 1", (str(layer.digest),))
    found = (row[0] for row in rows.fetchall())
    return tuple(
        name.removeprefix(prefix) for name in found if name.startswith(prefix) and name != reference.name
    )


def _send_blobs(store: Store, repository: PushTarget, shipment: Shipment, progress: Progress) -> None:
    for blob, diff_id, _ in shipment.blobs:
        if diff_id is not None:
            progress.report(LayerFound(digest=diff_id, total=blob.size, exists=False))
    with ThreadPoolExecutor(PARALLEL, "push") as pool:
        jobs = [pool.submit(_send, store, repository, progress, *blob) for blob in shipment.blobs]
        done, _ = wait(jobs, return_when=FIRST_EXCEPTION)
        for job in jobs:
            job.cancel()
    for job in done:
        job.result()


def _send(
    store: Store, repository: PushTarget, progress: Progress,
    blob: Descriptor, diff_id: Digest | None, sources: tuple[str, ...],
) -> None:  # fmt: skip
    outcome, origin = "pushed", ""
    if blob.digest in repository:
        outcome = "exists"
    else:
        origin = next((source for source in sources if repository.mount(blob.digest, source)), "")
        if origin:
            outcome = "mounted"
        else:
            with contextlib.closing(Outgoing(store.blobs, blob, diff_id, progress)) as outgoing:
                repository.upload(blob, outgoing.open)
    if diff_id is not None:
        progress.report(LayerDone(digest=diff_id, outcome=outcome, source=origin))


def _record(tx: Transaction, reference: Reference, shipment: Shipment) -> None:
    """Remember where the image and its layers are now."""
    exists = tx.execute("SELECT 1 FROM images WHERE id = ?", (str(shipment.image),)).fetchone()
    if exists is None:
        return  # removed meanwhile
    names.add_repo_digest(tx, reference.name, shipment.target.digest, shipment.image)
    for blob, diff_id, _ in shipment.blobs:
        if diff_id is not None:
            tx.execute("INSERT OR IGNORE INTO sources VALUES (?,?)", (str(blob.digest), reference.name))
    events.record(tx, "push", reference.familiar, {"name": reference.familiar_name})
