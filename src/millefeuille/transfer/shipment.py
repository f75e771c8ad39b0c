"""Shipment: which documents and blobs of the store go to a repository when a name is pushed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from millefeuille.errors import NotFound
from millefeuille.oci import manifest as documents
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.manifest import Index, Manifest
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.store import images, names
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass


class NothingToPush(NotFound):
    """The name holds no image, or none for the platform."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One blob that goes. `diff_id` is how progress calls a layer, None for a config; `sources` are the
    repositories of the same registry that are known to have it.
    """

    blob: Descriptor
    diff_id: Digest | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """The documents in the order in which they go, each beside its descriptor; the last gets the tag."""

    documents: tuple[tuple[Descriptor, Manifest | Index], ...]
    image: Digest
    note: str = ""

    @property
    def target(self) -> Descriptor:
        """What the tag will point to."""
        return self.documents[-1][0]

    @property
    def digests(self) -> frozenset[Digest]:
        """Everything that must stay in the store until it has gone."""
        found = {descriptor.digest for descriptor, _ in self.documents}
        for _, document in self.documents:
            if isinstance(document, Manifest):
                found |= {document.config.digest, *(layer.digest for layer in document.layers)}
        return frozenset(found)


def gather(
    tx: Transaction, store: Store, reference: Reference, platform: Platform | None,
    held: tuple[Digest, Digest] | None = None,
) -> Shipment:  # fmt: skip
    """Gather what `reference` names, or what is `held` instead: an index or a manifest, and an image of it.

    Raises NothingToPush, BlobNotFound, CorruptBlob.
    """
    held = held or names.target(tx, reference)
    if held is None:
        raise NothingToPush(f"tag does not exist: {reference.familiar}")
    target, image = held
    document = documents.parse(store.blobs.read(target), what=reference.familiar)
    note = ""
    if isinstance(document, Index):
        if platform is not None or not _is_whole(store, document, set()):
            chosen = _chosen(tx, store, document, reference, platform)
            if platform is None:
                note = (
                    "Not all multiplatform-content is present and only the available single-platform image "
                    f"was pushed: {target} -> {chosen.digest}"
                )
            document = documents.parse(store.blobs.read(chosen.digest), chosen.media_type)
    elif platform is not None:
        _check_platform(tx, reference, image, platform)
    if isinstance(document, Manifest):
        image = document.config.digest
    found = _with_children(store, document.descriptor(target.algorithm), document, set())
    return Shipment(documents=tuple(found), image=image, note=note)


def outbound(
    tx: Transaction, shipment: Shipment, reference: Reference, made: Mapping[Digest, Digest]
) -> tuple[Outbound, ...]:
    """The blobs of a shipment, each once; the top layer first, as Docker names them.

    `made` has the diff IDs of blobs that the database does not know yet.
    """
    found: dict[Digest, Outbound] = {}
    for descriptor, document in shipment.documents:
        if isinstance(document, Manifest):
            known = {blob.digest: blob.diff_id for blob in images.blobs_of(tx, descriptor.digest)}
            for one in _blobs(tx, document, reference, known | dict(made)):
                found.setdefault(one.blob.digest, one)
    return tuple(found.values())


def _is_whole(store: Store, index: Index, seen: set[Digest]) -> bool:
    """Whether all that an index lists is here, at any depth; what is in `seen` was looked at."""
    for entry in index.manifests:
        if entry.digest in seen:
            continue
        seen.add(entry.digest)
        if entry.digest not in store.blobs:
            return False
        if entry.media_type in mediatype.INDEXES:
            below = documents.parse(store.blobs.read(entry.digest), entry.media_type)
            if isinstance(below, Index) and not _is_whole(store, below, seen):
                return False
    return True


def _chosen(
    tx: Transaction, store: Store, index: Index, reference: Reference, platform: Platform | None
) -> Descriptor:
    """The manifest below an index that is here: the one asked for, else the one the name stands for."""
    if platform is not None:
        chosen = documents.choose(index, platform, reference.familiar)
        if chosen.media_type in mediatype.INDEXES and chosen.digest in store.blobs:
            below = documents.parse(store.blobs.read(chosen.digest), chosen.media_type)
            if isinstance(below, Index):
                return _chosen(tx, store, below, reference, platform)
        if not _is_here(tx, chosen):
            raise NothingToPush(
                f"image with reference {reference.familiar} was found but does not provide the specified "
                f"platform ({platform})"
            )
        return chosen
    row = tx.execute(
        "SELECT m.digest, m.media_type, m.size FROM name_platforms p JOIN names n USING (name)"
        " JOIN manifests m ON m.digest = p.manifest WHERE name = ? AND p.image = n.image",
        (str(reference),),
    ).fetchone()
    if row:
        return Descriptor(media_type=row[1], digest=Digest.parse(row[0]), size=row[2])
    raise NothingToPush(
        f"image with reference {reference.familiar} was found but does not provide any platform"
    )


def _is_here(tx: Transaction, manifest: Descriptor) -> bool:
    row = tx.execute("SELECT 1 FROM manifests WHERE digest = ?", (str(manifest.digest),)).fetchone()
    return row is not None


def _check_platform(tx: Transaction, reference: Reference, image: Digest, platform: Platform) -> None:
    row = tx.execute("SELECT platform FROM images WHERE id = ?", (str(image),)).fetchone()
    if Platform.parse(row[0]) != platform:
        raise NothingToPush(
            f"image with reference {reference.familiar} was found but its platform ({row[0]}) "
            f"does not match the specified platform ({platform})"
        )


def _with_children(
    store: Store, descriptor: Descriptor, document: Manifest | Index, seen: set[Digest]
) -> list[tuple[Descriptor, Manifest | Index]]:
    """A document after all that it refers to, each beside its descriptor, but for those in `seen`."""
    below: list[tuple[Descriptor, Manifest | Index]] = []
    for entry in document.manifests if isinstance(document, Index) else ():
        if entry.digest not in seen:
            seen.add(entry.digest)
            child = documents.parse(store.blobs.read(entry.digest), entry.media_type)
            below += _with_children(store, entry, child, seen)
    return [*below, (descriptor, document)]


def _blobs(
    tx: Transaction, document: Manifest, reference: Reference, diff_ids: Mapping[Digest, Digest]
) -> Sequence[Outbound]:
    layers = [
        Outbound(
            blob=layer,
            diff_id=diff_ids.get(layer.digest, layer.digest),
            sources=_sources(tx, layer, reference),
        )
        for layer in document.layers
    ]
    return [*reversed(layers), Outbound(blob=document.config)]


def _sources(tx: Transaction, layer: Descriptor, reference: Reference) -> tuple[str, ...]:
    """Repositories of the same registry that are known to have a layer."""
    prefix = f"{reference.registry}/"
    rows = tx.execute("SELECT repository FROM sources WHERE digest = ? ORDER BY 1", (str(layer.digest),))
    found = (row[0] for row in rows.fetchall())
    return tuple(
        name.removeprefix(prefix) for name in found if name.startswith(prefix) and name != reference.name
    )
