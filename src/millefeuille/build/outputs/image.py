"""What is put out as images of the store.

config and manifest → claim → documents → metadata image
                    → one transaction: images, names, events → index.json
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from millefeuille import files
from millefeuille.build.outputs.finished import Finished
from millefeuille.build.outputs.product import Product, Shape, Variant, assemble
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.store import chains, events, recording
from millefeuille.store import names as all_names
from millefeuille.store.attachments import attachments
from millefeuille.store.chains import Metadata, Prepare
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction
from millefeuille.transfer.keeping import make_metadata
from millefeuille.transfer.record import record_image, record_name
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An image that a build made: its ID, its manifest's digest, and that of what its names point to."""

    image: Digest
    manifest: Digest
    target: Digest


def finish(
    store: Store, finished: Finished, names: Sequence[Reference], lease: Lease,
    *, labels: Mapping[str, str] | None = None, prepare: Prepare | None = None,
    hold: Callable[[], object] | None = None,
) -> Recorded:  # fmt: skip
    """Record the image of a finished build under `names`, all tagged; the same state gives the same image.

    The caller holds the `lease`, and lets go of it afterwards. It claims the layers already, or `hold`,
    which is called before anything is recorded, makes it. Raises MissingLayer, InvalidConfig, DiskFull,
    ReadOnlyStore, Failed, CorruptBlob, and what `hold` raises.
    """
    product = assemble(store, [finished], Shape(labels=labels or {}), lease)
    return record(store, product, names, lease, prepare=prepare, hold=hold)


def record(
    store: Store, product: Product, names: Sequence[Reference], lease: Lease,
    *, prepare: Prepare | None = None, hold: Callable[[], object] | None = None,
) -> Recorded:  # fmt: skip
    """Record all images of a product, and let `names` point to it; done again, it changes nothing.

    Of several platforms this machine's own is the one that a name stands for. Raises DiskFull,
    ReadOnlyStore, Failed, CorruptBlob.
    """
    chosen = product.chosen
    if _is_recorded(store, product, names):
        return _recorded(product, chosen.plan.config.id)
    if hold is not None:
        hold()
    lease.claim(product.claims)
    keep_documents(store, product)
    # The image that is recorded last under a name is the one that the name means.
    variants = [*(one for one in product.variants if one is not chosen), chosen]
    metadata = [make_metadata(store, one.plan, one.records, prepare) for one in variants]
    with store.writing() as tx:
        if product.index is not None:
            recording.add_index(tx, product.target, attachments(store.blobs, product.index))
        for variant, made in zip(variants, metadata, strict=True):
            image = _record(tx, variant, names, made)
        for name in names:
            told = {**chosen.plan.config.labels, "name": name.familiar}
            events.record(tx, "tag", str(image), told)
    return _recorded(product, image)


def keep_documents(store: Store, product: Product) -> None:
    """Store all but the layers, and make the names of everything durable."""
    with files.explained(f"the store {store.disk.root}", root=store.disk.root):
        for digest, raw in product.documents.items():
            store.blobs.put(digest, raw)
        store.blobs.settle()
        files.sync_directory(store.disk.layers)


def _recorded(product: Product, image: Digest) -> Recorded:
    return Recorded(
        image=image, manifest=product.chosen.plan.descriptor.digest, target=product.target.digest
    )  # fmt: skip


def _is_recorded(store: Store, product: Product, names: Sequence[Reference]) -> bool:
    """Whether a build before this one came to the same; then there is nothing to wait for the disk for."""
    target, image = product.target.digest, product.chosen.plan.config.id
    with store.reading() as tx:
        for variant in product.variants:
            wanted = (str(variant.plan.descriptor.digest), str(variant.plan.config.id))
            if not tx.execute("SELECT 1 FROM manifests WHERE digest = ? AND image = ?", wanted).fetchall():
                return False
        if product.index is not None and not names:
            return False  # an index without a name is not known to be whole
        return all(all_names.target(tx, name) == (target, image) for name in names)


def _record(
    tx: Transaction, variant: Variant, names: Sequence[Reference], made: tuple[Digest, Metadata] | None
) -> Digest:
    image = record_image(tx, variant.plan, variant.records)
    if made is not None:
        chains.set_metadata(tx, *made)
    for name in names:
        record_name(tx, variant.plan, image, name)
    return image
