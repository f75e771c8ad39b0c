"""Attachments: what an index lists that is no image, provenance and bills of materials above all."""

from __future__ import annotations

from millefeuille.oci import manifest as documents
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.manifest import Index, Manifest
from millefeuille.store.blobs import Blobs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.store.transaction import Transaction


def attachments(blobs: Blobs, index: Index) -> tuple[Descriptor, ...]:
    """The attestations of an index that are here whole: their manifests, each before its parts.

    Raises CorruptBlob, Invalid kinds.
    """
    found: list[Descriptor] = []
    seen: set[Digest] = set()
    for entry in index.manifests:
        if not documents.is_attestation(entry) or entry.media_type not in mediatype.MANIFESTS:
            continue
        if entry.digest in seen or entry.digest not in blobs:
            continue
        seen.add(entry.digest)
        document = documents.parse(blobs.read(entry.digest), entry.media_type)
        parts = (document.config, *document.layers) if isinstance(document, Manifest) else ()
        if parts and all(blobs.holds(part) for part in parts):
            found += (entry, *parts)
    return tuple(found)


def recorded(tx: Transaction, index: Digest) -> tuple[Descriptor, ...]:
    """The attachments on record of an index, by digest."""
    rows = tx.execute(
        "SELECT media_type, digest, size FROM attachments WHERE owner = ? ORDER BY digest", (str(index),)
    )
    return tuple(
        Descriptor(media_type=kind, digest=Digest.parse(digest), size=size)
        for kind, digest, size in rows.fetchall()
    )
