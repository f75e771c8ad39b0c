"""Import: a tar of files becomes an image of one layer.

archive → hashed → lease → one pass → config and manifest made → documents
        → one transaction: image, name, event, end of the lease → index.json
"""

from __future__ import annotations

import json
import os
import time

from millefeuille import files
from millefeuille.annotations import Any
from millefeuille.errors import Invalid
from millefeuille.layers.compression import sniff
from millefeuille.layers.ingest import CHUNK
from millefeuille.oci import config as image_config
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.gotext import encoded
from millefeuille.oci.layer import chain_ids
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.store import chains, events, images, layers, leases, names
from millefeuille.store.chains import Prepare
from millefeuille.store.images import LayerRecord
from millefeuille.store.ingest import ingest
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store
from millefeuille.transfer.archive.arrival import LAYER_KINDS, Read, arrived
from millefeuille.transfer.archive.contents import Member, MemberStream
from millefeuille.transfer.archive.found import LAYER_TYPES, digest_of
from millefeuille.transfer.keeping import make_metadata, store_documents
from millefeuille.transfer.made import make_plan
from millefeuille.transfer.plan import Plan
from millefeuille.transfer.record import record_image, record_name
from millefeuille.values import dataclass


class NotImportable(Invalid):
    """The name is none that an image can be given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What an imported image is to be. `process` is the `config` member of its config, as
    `changes.apply_changes` makes it; `message` becomes the comment of its only step.
    """

    name: Reference | None
    process: dict[str, Any]
    message: str
    platform: Platform


def import_image(
    store: Store, source: int | Read, making: Making, *, prepare: Prepare | None = None
) -> Digest:
    """Make an image of the tar that can be read from `source`; the image's ID.

    The tar may be compressed; gzip and zstd are kept as they come. Raises NotImportable, NotAName,
    TarError, BrokenStream, Bomb, DiskFull, ReadOnlyStore.
    """
    check_name(making.name)
    store.create()
    with arrived(store.disk, source, LAYER_KINDS) as descriptor:
        whole = Member(name="", offset=0, size=os.fstat(descriptor).st_size)
        blob = Descriptor(
            media_type=LAYER_TYPES[sniff(os.pread(descriptor, 4, 0))],
            digest=digest_of(MemberStream(descriptor, whole)),
            size=whole.size,
        )
        with leases.lease(store.disk, "import", {blob.digest}) as lease:
            record = _layer(store, blob, MemberStream(descriptor, whole))
            image = make_plan(_config(making, record.diff_id), [blob])
            claims = {digest for digest, _ in image.documents}
            lease.claim({*claims, record.diff_id, *chain_ids(image.config.diff_ids)})
            store_documents(store, image)
            return _record(store, image, record, making, lease, prepare)


def check_name(name: Reference | None) -> None:
    """Hold that an imported image can have a name. Raises NotImportable, NotAName, in Docker's words."""
    if name is not None and name.digest is not None:
        raise NotImportable("cannot import digest reference")
    if name is not None:
        names.check_name(name)


def _record(
    store: Store, image: Plan, record: LayerRecord, making: Making, lease: Lease, prepare: Prepare | None
) -> Digest:
    records = {image.manifest.layers[0].digest: record}
    made = make_metadata(store, image, records, prepare)
    with store.writing() as tx:
        identifier = record_image(tx, image, records)
        if made is not None:
            chains.set_metadata(tx, *made)
        if making.name is not None:
            record_name(tx, image, identifier, making.name)
        events.record(tx, "import", str(identifier), {"name": str(identifier)})
        leases.release(tx, lease)
    return identifier


def _layer(store: Store, blob: Descriptor, stream: MemberStream) -> LayerRecord:
    """The layer in the store; it is read again only when it is not there."""
    with store.reading() as tx:
        known = images.layer_of_blob(tx, blob.digest)
    if known is not None and store.blobs.holds(blob) and layers.is_intact(store.disk, known):
        return known
    try:
        with ingest(store.disk, blob, lambda: None) as layer:
            at = layer.resume()
            while at:  # kept by an import that was cut off
                at -= stream.readinto(bytearray(min(at, CHUNK)))
            while count := stream.readinto(buffer := bytearray(CHUNK)):
                layer.feed(memoryview(buffer)[:count])
            record, _ = layer.commit(None)
    except OSError as error:
        raise files.explain(error, f"the store {store.disk.root}", root=store.disk.root) from error
    return record


def _config(making: Making, diff_id: Digest) -> image_config.ImageConfig:
    created = _now()
    fields: dict[str, Any] = {
        "architecture": making.platform.architecture,
        "comment": making.message,
        "config": making.process,
        "created": created,
        "history": [{"created": created, "comment": making.message}],
        "os": making.platform.os,
        "rootfs": {"type": "layers", "diff_ids": [str(diff_id)]},
    }
    if making.platform.variant:
        fields["variant"] = making.platform.variant
    return image_config.parse(encoded(json.dumps(fields, separators=(",", ":"), ensure_ascii=False)))


def _now() -> str:
    """The present as Go writes it: no zeros at the end of the fraction."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{text}.{nanoseconds:09}".rstrip("0").rstrip(".") + "Z"
