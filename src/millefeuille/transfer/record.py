"""Record: the one transaction that makes what was brought in an image, with its name."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.store import events, leases, names, recording
from millefeuille.store.images import LayerRecord
from millefeuille.store.leases import Lease
from millefeuille.store.transaction import Transaction
from millefeuille.transfer.plan import Plan
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An image in the store. `before` is the image that its name pointed to until now."""

    image: Digest
    target: Digest
    before: Digest | None


def record_image(tx: Transaction, plan: Plan, records: Mapping[Digest, LayerRecord]) -> Digest:
    """Write an image's rows; its documents and layers are on the disk. Gives the image ID."""
    layers = [records[blob.digest] for blob in plan.manifest.layers]
    for descriptor, _ in plan.indexes:
        recording.add_index(tx, descriptor)
    image = recording.add_image(tx, plan.config, plan.manifest, plan.descriptor, layers)
    for blob in plan.manifest.layers:
        known = records[blob.digest]
        recording.add_layer_blob(tx, blob, known.diff_id)
    return image


def record_name(tx: Transaction, plan: Plan, image: Digest, reference: Reference) -> Digest | None:
    """Let a tagged reference point to the plan's target; the image it pointed to before."""
    platform = str(plan.config.platform)
    return names.assign(tx, reference, plan.target.digest, image, plan.descriptor.digest, platform)


def record_pull(
    tx: Transaction, plan: Plan, records: Mapping[Digest, LayerRecord], reference: Reference, lease: Lease
) -> Recorded:
    """All rows of a pulled image: image, name, repository digest, sources, event; the lease ends."""
    image = record_image(tx, plan, records)
    before = record_name(tx, plan, image, reference) if reference.tag and not reference.digest else None
    names.add_repo_digest(tx, reference.name, plan.target.digest, image)
    for blob in plan.manifest.layers:
        tx.execute("INSERT OR IGNORE INTO sources VALUES (?,?)", (str(blob.digest), reference.name))
    labels = dict(plan.config.labels)
    events.record(tx, "pull", reference.familiar, labels | {"name": reference.familiar_name})
    leases.release(tx, lease)
    return Recorded(image=image, target=plan.target.digest, before=before)
