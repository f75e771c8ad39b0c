"""What a descriptor and an image config promise of a layer, held against what it turned out to be."""

from __future__ import annotations

from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.store.blobs import CorruptBlob


def hold(blob: Descriptor, promised: Digest, digest: Digest, size: int, diff_id: Digest) -> None:
    """Hold that a layer is what its descriptor and the image config promise. Raises CorruptBlob."""
    if digest == blob.digest and size != blob.size:
        raise CorruptBlob(f"blob {blob.digest}: {size} bytes instead of the {blob.size} promised")
    if digest != blob.digest:
        raise CorruptBlob(f"blob {blob.digest}: does not match its digest")
    if diff_id != promised:
        raise CorruptBlob(f"blob {blob.digest}: is not the layer {promised} that the image config promises")
