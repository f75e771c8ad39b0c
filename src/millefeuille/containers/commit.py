"""Commit: what a container wrote becomes the top layer of a new image.

    configuration → one pass over the changes → lease on the layer and on what the image stands on
                 → config and manifest → documents
                 → one transaction: image, name, events, end of the lease → index.json

The metadata image of the new chain is left to its first mount.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from millefeuille.annotations import Any
from millefeuille.containers import memoryplaces
from millefeuille.containers.committed import Wishes, committed_config, committed_process
from millefeuille.containers.happening import note
from millefeuille.containers.record import Container
from millefeuille.containers.stubs import STUBS
from millefeuille.layers.changes import Written, changes
from millefeuille.layers.ingest import LayerContent
from millefeuille.layers.members import layer_members
from millefeuille.layers.tarstream import Member
from millefeuille.oci import config as image_config
from millefeuille.oci import mediatype
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.oci.moment import rfc3339
from millefeuille.store import events, images, leases, names, recording
from millefeuille.store.images import ImageRecord, LayerRecord
from millefeuille.store.making import made_blob, store_layer
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction
from millefeuille.transfer.keeping import store_documents
from millefeuille.transfer.made import make_plan
from millefeuille.transfer.plan import Plan
from millefeuille.transfer.record import record_name
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """The image that the container was made from, with its layers, lowest first."""

    record: ImageRecord
    config: ImageConfig
    blobs: tuple[Descriptor, ...]
    layers: tuple[LayerRecord, ...]

    @property
    def claims(self) -> set[Digest]:
        """What must not be removed meanwhile."""
        diff_ids = [layer.diff_id for layer in self.layers]
        return {self.record.id, *(blob.digest for blob in self.blobs), *diff_ids, *chain_ids(diff_ids)}


def commit(store: Store, container: Container, written: Written, wishes: Wishes) -> Digest:
    """Make an image of what the container wrote, and of its configuration; the image's ID.

    Without any change of files it has the layers of the container's image. Raises NoSuchImage when that is
    gone, UnreadableChange, UnwritableName, TarError, DiskFull, ReadOnlyStore.
    """
    process = committed_process(container.config, wishes.process)
    with contextlib.ExitStack() as stack:
        return _Commit(store, container, wishes, _base(store, container.image), process, stack).run(written)


class _Commit:
    def __init__(
        self, store: Store, container: Container, wishes: Wishes, base: _Base, process: Mapping[str, Any],
        stack: contextlib.ExitStack,
    ) -> None:  # fmt: skip
        self._store = store
        self._container = container
        self._wishes = wishes
        self._base = base
        self._process = process
        self._stack = stack
        now = time.time_ns() if wishes.epoch is None else wishes.epoch * 1_000_000_000
        step = {
            "created": rfc3339(now), "created_by": " ".join(container.config.get("Cmd") or ()),
            "author": wishes.author, "comment": wishes.message,
        }  # fmt: skip
        self._step = {key: value for key, value in step.items() if value}

    def run(self, written: Written) -> Digest:
        """Store the layer, then the image."""
        found = memoryplaces.plain(changes(written, STUBS), self._container, written.lower)
        members = layer_members(found, epoch=self._wishes.epoch)
        layers = self._base.layers
        first = next(members, None)
        if first is None:
            self._image = self._plan(None)
            self._claim()
        else:
            layers = (*layers, self._layer(chain((first,), members)))
        store_documents(self._store, self._image)
        return self._record(layers)

    def _layer(self, members: Iterator[Member]) -> LayerRecord:
        def claim(content: LayerContent) -> None:
            self._image = self._plan(content)
            self._claim()

        record, _ = store_layer(self._store, members, claim)
        return record

    def _claim(self) -> None:
        documents = [digest for digest, _ in self._image.documents]
        diff_ids = self._image.config.diff_ids
        claims = {*self._base.claims, *documents, *diff_ids, *chain_ids(diff_ids)}
        purpose = f"commit {self._container.short}"
        self._lease = self._stack.enter_context(leases.lease(self._store.disk, purpose, claims))
        with self._store.reading() as tx:
            _record(tx, self._container.image)  # claimed: what is there now, stays

    def _plan(self, content: LayerContent | None) -> Plan:
        added = content.diff_id if content is not None else None
        config = committed_config(self._base.config, self._process, self._step, added)
        return make_plan(config, (*self._base.blobs, *((made_blob(content),) if content else ())))

    def _record(self, layers: Sequence[LayerRecord]) -> Digest:
        image, wishes = self._image, self._wishes
        blobs = image.manifest.layers
        with self._store.writing() as tx:
            parent = self._base.record.id
            identifier = recording.add_image(
                tx, image.config, image.manifest, image.descriptor, layers, parent=parent
            )  # fmt: skip
            for blob, layer in zip(blobs, layers, strict=True):
                recording.add_layer_blob(tx, blob, layer.diff_id)
            if wishes.name is not None:
                record_name(tx, image, identifier, wishes.name)
                facts = {**image.config.labels, "name": wishes.name.familiar}
                events.record(tx, "tag", str(identifier), facts)
            leases.release(tx, self._lease)
        _tell(self._store, self._container, wishes, identifier)
        return identifier


def _tell(store: Store, container: Container, wishes: Wishes, image: Digest) -> None:
    name = wishes.name.familiar if wishes.name else ""
    note(store, container, "commit", comment=wishes.message, imageID=str(image), imageRef=name)


def _base(store: Store, image: Digest) -> _Base:
    with store.reading() as tx:
        record = _record(tx, image)
        layers = images.layers_of(tx, image)
        blobs = images.blobs_of(tx, record.manifest)
    return _Base(
        record=record,
        config=image_config.parse(store.blobs.read(image)),
        blobs=tuple(
            Descriptor(media_type=mediatype.as_oci(blob.media_type), digest=blob.digest, size=blob.size)
            for blob in blobs
        ),
        layers=layers,
    )


def _record(tx: Transaction, image: Digest) -> ImageRecord:
    record = next(images.images(tx, "id = ?", (str(image),)), None)
    if record is None:
        raise names.NoSuchImage(f"No such image: {image}")
    return record
