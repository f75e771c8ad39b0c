"""Load: the images of an archive into the store.

    archive → its table → for each image: plan → lease → layers (one pass each) → documents
            → one transaction: image, names, event, end of the lease → index.json

An image is there with all its names or not at all; an archive of several images may be loaded in part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from millefeuille.errors import MilleError
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.oci.platform import Platform
from millefeuille.progress import Progress
from millefeuille.store import chains, events, images, layers, leases
from millefeuille.store.chains import Metadata, Prepare
from millefeuille.store.images import LayerRecord
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store
from millefeuille.transfer.archive.arrival import Read, arrived
from millefeuille.transfer.archive.contents import BadArchive, Contents
from millefeuille.transfer.archive.found import ArchiveSource, Found
from millefeuille.transfer.archive.kinds import images_in
from millefeuille.transfer.keeping import make_metadata, store_documents
from millefeuille.transfer.layers import LayerFetch
from millefeuille.transfer.plan import Plan, plan
from millefeuille.transfer.record import record_image, record_name
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One image that is in the store now. `names` are familiar names; `renamed` holds those that named
    another image until now, with its ID.
    """

    image: Digest
    names: tuple[str, ...]
    renamed: Mapping[str, Digest]


def load(
    store: Store, archive: int | Read, progress: Progress, *, platform: Platform | None = None,
    prepare: Prepare | None = None,
) -> Iterator[Loaded]:  # fmt: skip
    """Bring in the images of the archive that can be read from `archive`, one after the other.

    With `platform` only those for it, which may be none. Raises BadArchive, ShortArchive, BrokenStream,
    Bomb, CorruptBlob, TarError, Invalid kinds, DiskFull, ReadOnlyStore.
    """
    store.create()
    with arrived(store.disk, archive) as descriptor:
        contents = Contents(descriptor)
        source = ArchiveSource(contents)
        count = 0
        with store.together():
            for found in images_in(contents, source, store.blobs, platform):
                count += 1
                yield _Loading(store, source, progress, prepare).run(found)
        if not count and platform is None:
            raise BadArchive("invalid archive: no image in it")


class _Loading:
    """Brings in what stands under one entry of an archive."""

    def __init__(
        self, store: Store, source: ArchiveSource, progress: Progress, prepare: Prepare | None
    ) -> None:
        self._store = store
        self._source = source
        self._progress = progress
        self._prepare = prepare

    def run(self, found: Found) -> Loaded:
        purpose = f"load {found.names[0].familiar}" if found.names else "load"
        with leases.lease(self._store.disk, purpose, set(_claims(found.plans))) as lease:
            chosen = tuple(self._choose(each, lease) for each in found.plans) if found.made else found.plans
            records = [self._bring(each) for each in chosen]
            made = [
                make_metadata(self._store, image, known, self._prepare)
                for image, known in zip(chosen, records, strict=True)
            ]
            return self._record(found, chosen, records, made, lease)

    def _stored(self, made: Plan) -> Plan | None:
        """The image by the manifest that the store has for it already."""
        store = self._store
        with store.reading() as tx:
            row = tx.execute(
                "SELECT m.digest, m.media_type, m.size FROM images i JOIN manifests m"
                " ON m.digest = i.manifest WHERE i.id = ?", (str(made.config.id),),
            ).fetchone()  # fmt: skip
        if row is None:
            return None
        target = Descriptor(media_type=row[1], digest=Digest.parse(row[0]), size=row[2])
        try:
            return plan(target, self._source, store.blobs, made.config.platform, str(target.digest))
        except MilleError:  # what is stored is damaged: the archive has it whole
            return None

    def _choose(self, made: Plan, lease: Lease) -> Plan:
        """The stored image when all of it is there, else the archive's."""
        stored = self._stored(made)
        if stored is None:
            return made
        lease.claim(set(_claims([stored])))  # first the claim, then the look
        known = self._known(stored)
        for blob in stored.manifest.layers:
            record = known.get(blob.digest)
            if record is None or not layers.is_intact(self._store.disk, record):
                return made
            if not self._store.blobs.holds(blob):
                return made
        return stored

    def _known(self, image: Plan) -> dict[Digest, LayerRecord]:
        with self._store.reading() as tx:
            found = {blob.digest: images.layer_of_blob(tx, blob.digest) for blob, _ in image.layers}
        return {digest: record for digest, record in found.items() if record is not None}

    def _bring(self, image: Plan) -> dict[Digest, LayerRecord]:
        store = self._store
        fetch = LayerFetch(store, self._source, self._progress, self._known(image), outcome="loaded")
        records = fetch.run(image.layers)
        store_documents(store, image)
        return records

    def _record(
        self, found: Found, plans: Sequence[Plan], records: Sequence[Mapping[Digest, LayerRecord]],
        made: Sequence[tuple[Digest, Metadata] | None], lease: Lease,
    ) -> Loaded:  # fmt: skip
        renamed: dict[str, Digest] = {}
        with self._store.writing() as tx:
            for image_plan, known, metadata in zip(plans, records, made, strict=True):
                image = record_image(tx, image_plan, known)
                if metadata is not None:
                    chains.set_metadata(tx, *metadata)
                for name in found.names:
                    before = record_name(tx, image_plan, image, name)
                    if before is not None:
                        renamed.setdefault(name.familiar, before)
                events.record(tx, "load", str(image), {"name": str(image)})
            leases.release(tx, lease)
        own = {each.config.id for each in plans}
        return Loaded(
            image=image,
            names=tuple(name.familiar for name in found.names),
            renamed={name: before for name, before in renamed.items() if before not in own},
        )


def _claims(plans: Sequence[Plan]) -> Iterator[Digest]:
    for each in plans:
        yield from (digest for digest, _ in each.documents)
        yield from (digest for blob, diff_id in each.layers for digest in (blob.digest, diff_id))
        yield from chain_ids(each.config.diff_ids)
