"""The engine's base images for builds: from the store, or from a registry by way of it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from millefeuille.build.base import Base
from millefeuille.images.content import PlatformMissing, config_of, find_platform
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.store import images, leases, names
from millefeuille.store.images import ImageRecord, LayerBlob, LayerRecord
from millefeuille.store.leases import Lease
from millefeuille.store.names import NoSuchImage, is_full_id
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction

# Brings an image into the store, for a platform or this machine's.
Fetch = Callable[[Reference, Platform | None], None]

# An image with its layers and blobs, and the digest that its name stands for, where it is a name.
_Found = tuple[ImageRecord, tuple[LayerRecord, ...], tuple[LayerBlob, ...], Digest | None]


class StoredBases:
    """Images by name. Each is looked for once in a build, so that a tag means one image all through it.

    `always` asks the registry even for what is here.
    """

    def __init__(self, store: Store, lease: Lease, fetch: Fetch, *, always: bool = False) -> None:
        self._store = store
        self._lease = lease
        self._fetch = fetch
        self._always = always
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str], Base] = {}

    def resolve(self, name: str, platform: Platform) -> Base:
        """The image called `name` for that platform. Raises as `Bases.resolve` says."""
        with self._lock:
            place = (name, str(platform))
            if place not in self._found:
                self._found[place] = self._resolve(name, platform)
            return self._found[place]

    def _resolve(self, name: str, platform: Platform) -> Base:
        if not (self._always and not is_full_id(name)):
            try:
                return self._stored(name, platform)
            except (NoSuchImage, PlatformMissing):
                if is_full_id(name):  # an ID is no name that a registry knows
                    raise
        self._fetch(Reference.parse(name).tagged(), platform)
        return self._stored(name, platform)

    def _stored(self, name: str, platform: Platform) -> Base:
        found = leases.settled(self._lease, lambda: self._look(name, platform), _claims)
        record, layers, blobs, target = found
        config = config_of(self._store.blobs, record)
        return Base(
            name=name, platform=config.platform, digest=target or record.manifest, document=config.fields,
            layers=layers,
            blobs={
                blob.diff_id: Descriptor(
                    media_type=mediatype.as_oci(blob.media_type),
                    digest=blob.digest, size=blob.size,
                )
                for blob in blobs
            },
        )  # fmt: skip

    def _look(self, name: str, platform: Platform) -> _Found:
        with self._store.reading() as tx:
            record = find_platform(tx, name, platform)
            layers, blobs = images.layers_of(tx, record.id), images.blobs_of(tx, record.manifest)
            return record, layers, blobs, _target(tx, name)


def _claims(found: _Found) -> set[Digest]:
    record, layers, blobs, _ = found
    diff_ids = [layer.diff_id for layer in layers]
    return {record.id, record.manifest, *(blob.digest for blob in blobs), *diff_ids, *chain_ids(diff_ids)}


def _target(tx: Transaction, name: str) -> Digest | None:
    """What the name points to: an index, where it is one of several platforms'."""
    if is_full_id(name):
        return None
    found = names.target(tx, Reference.parse(name).tagged())
    return found[0] if found else None
