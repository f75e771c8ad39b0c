"""The engine's way to images in OCI layouts: brought into the store, where builds find them by their IDs."""

from __future__ import annotations

from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.oci.platform import Platform
from millefeuille.progress import Silent
from millefeuille.store import images, leases
from millefeuille.store.store import Store
from millefeuille.transfer.keeping import store_documents
from millefeuille.transfer.layers import LayerFetch
from millefeuille.transfer.layoutdirectory import LayoutDirectory, NotInLayout
from millefeuille.transfer.plan import plan
from millefeuille.transfer.record import record_image


def bring(store: Store, path: str, *, tag: str = "", digest: str = "") -> Digest:
    """The image in the layout at `path`, by tag or digest or the last one, put into the store; its ID.

    It has no name there: `image prune` removes it when nothing stands on it. Raises NotInLayout, WrongBlob,
    NoMatchingPlatform, NotAnImage, and what storing raises.
    """
    layout = LayoutDirectory(path)
    image = plan(_target(layout, tag, digest), layout, store.blobs, Platform.host(), path)
    claims = {name for name, _ in image.documents}
    claims |= {name for blob, diff_id in image.layers for name in (blob.digest, diff_id)}
    claims |= set(chain_ids(image.config.diff_ids))
    with leases.lease(store.disk, f"context {path}", claims) as lease:
        with store.reading() as tx:
            known = {blob.digest: images.layer_of_blob(tx, blob.digest) for blob, _ in image.layers}
        here = {name: record for name, record in known.items() if record is not None}
        records = LayerFetch(store, layout, Silent(), here).run(image.layers)
        store_documents(store, image)
        with store.writing() as tx:
            made = record_image(tx, image, records)
            leases.release(tx, lease)
    return made


def _target(layout: LayoutDirectory, tag: str, digest: str) -> Descriptor:
    if not digest:
        return layout.resolve(tag)
    wanted = Digest.parse(digest)
    for entry in layout.entries():
        if entry.digest == wanted:
            return entry
    raise NotInLayout(f"nothing in the layout's index has the digest {digest}")
