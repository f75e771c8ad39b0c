"""Compressed: layers that were never compressed are, before they leave the store for the first time.

An image that came without a manifest (a Docker archive, an import) has its layers as plain tars, and a
manifest that this engine wrote. Its first push makes gzip blobs and a second manifest of them, and keeps
both: the next push finds them by diff ID. A manifest that somebody else wrote goes as it is.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from millefeuille import files
from millefeuille.annotations import BinaryIO
from millefeuille.oci import config as image_config
from millefeuille.oci import mediatype
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.manifest import Manifest
from millefeuille.store import images, recording
from millefeuille.store.blobs import CorruptBlob
from millefeuille.store.ingest import note_origin
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction
from millefeuille.transfer.made import is_made, make_plan
from millefeuille.transfer.packing import Packing
from millefeuille.transfer.plan import Plan
from millefeuille.transfer.shipment import Shipment
from millefeuille.values import replace

_CHUNK = 1 << 20  # bytes
_PARALLEL = 4  # layers at once


def pack(store: Store, shipment: Shipment, lease: Lease) -> tuple[Shipment, Plan | None]:
    """The shipment with compressed layers, and the plan to record then; itself and None without any.

    Raises CorruptBlob, DiskFull, Failed.
    """
    document = shipment.documents[-1][1]
    if not isinstance(document, Manifest) or not any(_is_plain(layer) for layer in document.layers):
        return shipment, None
    config = image_config.parse(store.blobs.read(document.config.digest))
    if not is_made(document, config):
        return shipment, None
    with files.explained(f"the store {store.disk.root}", root=store.disk.root):
        plan = _plan(store, document, config, lease)
    ours = (plan.descriptor, plan.manifest)
    return replace(shipment, documents=(*shipment.documents[:-1], ours)), plan


def record_packed(tx: Transaction, plan: Plan) -> None:
    """Record the second manifest, in the transaction that records the push."""
    layers = [images.layer(tx, diff_id) for diff_id in plan.config.diff_ids]
    present = [layer for layer in layers if layer is not None]
    recording.add_image(tx, plan.config, plan.manifest, plan.descriptor, present)
    for blob, diff_id in plan.layers:
        recording.add_layer_blob(tx, blob, diff_id)


def _plan(store: Store, manifest: Manifest, config: ImageConfig, lease: Lease) -> Plan:
    layers = packed_layers(store, tuple(zip(manifest.layers, config.diff_ids, strict=True)), Packing(), lease)
    plan = make_plan(config, layers, manifest.annotations)
    lease.claim([plan.descriptor.digest])
    store.blobs.put(plan.descriptor.digest, plan.manifest.raw)
    store.blobs.settle()
    return plan


def packed_layers(
    store: Store, layers: Sequence[tuple[Descriptor, Digest]], packing: Packing, lease: Lease
) -> tuple[Descriptor, ...]:
    """Layers (blob and diff ID) in the form that `packing` asks for, made where the store has none such.

    Without force only what is plain is packed. Raises CorruptBlob, DiskFull, Failed.
    """
    wanted = {
        diff_id: layer for layer, diff_id in layers
        if layer.media_type != packing.media_type and (packing.force or _is_plain(layer))
    }  # fmt: skip

    def pack_one(item: tuple[Digest, Descriptor]) -> Descriptor:
        diff_id, layer = item
        known = _known(store, diff_id, packing) if packing.is_default else None
        return known or _compress(store, layer, diff_id, packing, lease)

    with (
        files.explained(f"the store {store.disk.root}", root=store.disk.root),
        ThreadPoolExecutor(_PARALLEL, "pack") as pool,
    ):
        made = dict(zip(wanted, pool.map(pack_one, wanted.items()), strict=True))
    return tuple(made.get(diff_id, layer) for layer, diff_id in layers)


def _is_plain(layer: Descriptor) -> bool:
    return layer.media_type == mediatype.OCI_LAYER


def _known(store: Store, diff_id: Digest, packing: Packing) -> Descriptor | None:
    """A blob of the layer that an image holds already, in the form that is asked for."""
    with store.reading() as tx:
        row = tx.execute(
            "SELECT digest, size FROM manifest_layers WHERE diff_id = ? AND media_type = ? LIMIT 1",
            (str(diff_id), packing.media_type),
        ).fetchone()
    if row is None:
        return None
    found = Descriptor(media_type=packing.media_type, digest=Digest.parse(row[0]), size=row[1])
    return found if store.blobs.holds(found) else None


def _compress(store: Store, layer: Descriptor, diff_id: Digest, packing: Packing, lease: Lease) -> Descriptor:
    """Make another blob of a layer; it has its name when this returns."""
    disk = store.disk
    path = f"{disk.ingest}/{packing.kind}-{os.urandom(16).hex()}"
    descriptor = files.create(path)
    try:
        with _opened(store, layer, diff_id) as source:
            digest, size = _write(source, diff_id, packing, descriptor)
        files.change_mode(descriptor, 0o400)
        files.sync(descriptor)
        lease.claim([digest])
        files.rename(path, disk.blob(digest))
    except BaseException:
        files.unlink(path)
        raise
    finally:
        os.close(descriptor)
    note_origin(disk.layer(diff_id), digest)
    files.sync_directory(disk.layer(diff_id))
    return Descriptor(media_type=packing.media_type, digest=digest, size=size)


def _opened(store: Store, layer: Descriptor, diff_id: Digest) -> BinaryIO:
    """The tar of a layer; what came packed has been unpacked before."""
    return store.blobs.open(layer) if _is_plain(layer) else open(store.disk.tar(diff_id), "rb")


def _write(source: BinaryIO, diff_id: Digest, packing: Packing, descriptor: int) -> tuple[Digest, int]:
    """Pack a layer's tar, which is held against its diff ID meanwhile."""
    plain, packed = diff_id.hasher(), hashlib.sha256()
    size = 0
    compressor = None if packing.kind == "uncompressed" else packing.compressor()
    while chunk := source.read(_CHUNK):
        plain.update(chunk)
        data = chunk if compressor is None else compressor.compress(chunk)
        packed.update(data)
        size += files.write(descriptor, data) if data else 0
    data = b"" if compressor is None else compressor.flush()
    packed.update(data)
    size += files.write(descriptor, data)
    if plain.hexdigest() != diff_id.hex:
        raise CorruptBlob(f"layer {diff_id}: does not match its digest")
    return Digest("sha256", packed.hexdigest()), size
