"""A finished build as an image of the store.

config and manifest → claim → documents → metadata image
                    → one transaction: image, names, events → index.json
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from millefeuille.build.outputs.blobs import blobs_of
from millefeuille.build.outputs.config import described
from millefeuille.build.outputs.finished import Finished
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.oci.reference import Reference
from millefeuille.store import chains, events
from millefeuille.store.chains import Prepare
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction
from millefeuille.transfer.keeping import make_metadata, store_documents
from millefeuille.transfer.made import make_plan
from millefeuille.transfer.plan import Plan
from millefeuille.transfer.record import record_image, record_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An image that a build made: its ID, and the digest of its manifest."""

    image: Digest
    manifest: Digest


def image_plan(store: Store, finished: Finished, labels: Mapping[str, str] | None = None) -> Plan:
    """Config and manifest of a finished build, nothing of it stored. Raises MissingLayer, InvalidConfig."""
    return make_plan(described(finished, labels), blobs_of(store, finished))


def finish(
    store: Store, finished: Finished, names: Sequence[Reference], lease: Lease,
    *, labels: Mapping[str, str] | None = None, prepare: Prepare | None = None,
) -> Recorded:  # fmt: skip
    """Record the image of a finished build under `names`, all tagged; the same state gives the same image.

    The caller holds the `lease`, which claims the layers already, and lets go of it afterwards. Raises
    MissingLayer, InvalidConfig, DiskFull, ReadOnlyStore, Failed, CorruptBlob.
    """
    plan = image_plan(store, finished, labels)
    records = {blob.digest: layer for blob, layer in zip(plan.manifest.layers, finished.layers, strict=True)}
    diff_ids = plan.config.diff_ids
    lease.claim({*(digest for digest, _ in plan.documents), *records, *diff_ids, *chain_ids(diff_ids)})
    store_documents(store, plan)
    made = make_metadata(store, plan, records, prepare)
    with store.writing() as tx:
        image = record_image(tx, plan, records)
        if made is not None:
            chains.set_metadata(tx, *made)
        for name in names:
            _tag(tx, plan, image, name)
    return Recorded(image=image, manifest=plan.descriptor.digest)


def _tag(tx: Transaction, plan: Plan, image: Digest, name: Reference) -> None:
    record_name(tx, plan, image, name)
    events.record(tx, "tag", str(image), {**plan.config.labels, "name": name.familiar})
