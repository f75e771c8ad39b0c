"""The engine's way to caches of builds that lie in registries and directories."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.build.cache.portable import Imported, document
from millefeuille.build.outputs.archive import archive_to_layout
from millefeuille.build.outputs.product import Product, Variant
from millefeuille.engine.registries import registries
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.progress import Silent
from millefeuille.settings import Settings
from millefeuille.store.images import LayerRecord
from millefeuille.store.leases import Lease
from millefeuille.store.steps import StepRecord
from millefeuille.store.store import Store
from millefeuille.transfer.compressed import packed_layers
from millefeuille.transfer.layoutdirectory import LayoutDirectory
from millefeuille.transfer.made import make_plan
from millefeuille.transfer.outgoing import Outgoing
from millefeuille.transfer.packing import Packing
from millefeuille.transfer.plan import Plan, plan


def import_registry(settings: Settings, store: Store, reference: Reference) -> Imported:
    """A cache at a registry; only its documents are fetched. Raises what the registry raises, BadCache."""
    repository = registries(settings, Silent()).repository(reference)
    target = repository.resolve(reference)
    found = plan(target, repository, store.blobs, Platform.host(), reference.familiar)
    return Imported(store, repository, found, reference.familiar)


def import_layout(store: Store, path: str, tag: str) -> Imported:
    """A cache in an OCI layout. Raises NotInLayout, WrongBlob, BadCache."""
    layout = LayoutDirectory(path)
    found = plan(layout.resolve(tag), layout, store.blobs, Platform.host(), path)
    return Imported(store, layout, found, path)


def export_registry(
    settings: Settings, store: Store, reference: Reference, steps: Sequence[StepRecord], lease: Lease
) -> None:
    """Send steps to a registry under a tag: layers that it lacks, then the documents.

    Raises what the registry raises, CorruptBlob, DiskFull.
    """
    made, _ = _packed(store, steps, lease)
    repository = registries(settings, Silent()).repository(reference, push=True)
    for blob, diff_id in made.layers:
        if blob.digest not in repository:
            outgoing = Outgoing(store.blobs, blob, diff_id, Silent())
            try:
                repository.upload(blob, outgoing.open)
            finally:
                outgoing.close()
    config = made.manifest.config
    if config.digest not in repository:
        outgoing = Outgoing(store.blobs, config, None, Silent())
        try:
            repository.upload(config, outgoing.open)
        finally:
            outgoing.close()
    repository.put_manifest(made.descriptor, made.manifest.raw, reference.tag)


def export_layout(store: Store, path: str, tag: str, steps: Sequence[StepRecord], lease: Lease) -> None:
    """Put steps into the OCI layout at `path`. Raises BadLayout, CorruptBlob, DiskFull, Failed."""
    made, layers = _packed(store, steps, lease)
    product = Product(
        variants=(Variant(plan=made, layers=layers),), index=None, target=made.descriptor
    )  # fmt: skip
    names = [Reference.parse(f"cache:{tag or 'latest'}").tagged()]
    archive_to_layout(store, product, names, path, oci=True)


def _packed(store: Store, steps: Sequence[StepRecord], lease: Lease) -> tuple[Plan, tuple[LayerRecord, ...]]:
    """The steps as an image, its layers compressed and its documents in the store, all claimed."""
    config = document(steps)
    by_diff_id = {step.layer.diff_id: step.layer for step in steps}
    layers = tuple(by_diff_id[diff_id] for diff_id in config.diff_ids)
    plain = [
        Descriptor(media_type=mediatype.OCI_LAYER, digest=one.diff_id, size=one.tar_size) for one in layers
    ]  # fmt: skip
    lease.claim([config.id, *(one.diff_id for one in layers)])
    blobs = packed_layers(store, tuple(zip(plain, config.diff_ids, strict=True)), Packing(), lease)
    made = make_plan(config, blobs)
    lease.claim([digest for digest, _ in made.documents])
    for digest, raw in made.documents:
        store.blobs.put(digest, raw)
    store.blobs.settle()
    return made, layers
