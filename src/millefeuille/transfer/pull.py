"""Pull: an image from a repository into the store.

    resolve → documents → lease → layers (one pass each) → documents stored → directories synced
            → one transaction: image, name, digest, event, end of the lease → index.json

A crash at any point leaves the old name or the new one, and bytes that the next pull goes on from.
"""

from __future__ import annotations

from millefeuille.annotations import Protocol
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.oci.platform import Platform, rank
from millefeuille.oci.reference import Reference
from millefeuille.progress import Finished, Progress, Silent, Started, Warned
from millefeuille.store import chains, images, leases, names
from millefeuille.store.chains import Prepare as Prepare
from millefeuille.store.images import LayerRecord
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction
from millefeuille.transfer.keeping import make_metadata, store_documents
from millefeuille.transfer.layers import LayerFetch
from millefeuille.transfer.plan import Plan, plan
from millefeuille.transfer.record import Recorded, record_pull
from millefeuille.transfer.source import ByteStream, ImageSource
from millefeuille.values import dataclass


class PullSource(ImageSource, Protocol):
    """A repository that also knows what its tags point to."""

    def resolve(self, reference: Reference) -> Descriptor:
        """What a tag or digest points to now."""

    def open(self, blob: Descriptor, *, offset: int = 0, mirrors: bool = True) -> ByteStream:
        """A blob's bytes; without `mirrors`, from the registry itself alone."""


@dataclass(frozen=True, slots=True)
class _PastMirrors:
    """A repository asked again, after a mirror may have given wrong bytes."""

    repository: PullSource

    def manifest(self, wanted: Descriptor) -> tuple[Descriptor, bytes]:
        return self.repository.manifest(wanted)

    def open(self, blob: Descriptor, *, offset: int = 0) -> ByteStream:
        return self.repository.open(blob, offset=offset, mirrors=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What a pull came to; `new` is False when the name pointed to this image before."""

    image: Digest
    target: Digest
    new: bool


def pull(
    store: Store,
    repository: PullSource,
    reference: Reference,
    progress: Progress,
    *,
    platform: Platform | None = None,
    prepare: Prepare | None = None,
) -> Pulled:
    """Bring `reference` (tagged or with a digest) in, for `platform` or this machine's.

    Raises what the repository, the parsers and the store raise; the store is as before then, but for the
    bytes of unfinished layers.
    """
    label = str(reference.digest) if reference.digest else reference.tag or ""
    target = repository.resolve(reference)
    if reference.tag and not reference.digest:
        names.check_name(reference)
    progress.report(Started(name=reference.repository, label=label))
    wanted = platform or Platform.host()
    store.create()
    image = plan(target, repository, store.blobs, wanted, reference.familiar)
    claims = {digest for digest, _ in image.documents}
    claims |= {digest for blob, diff_id in image.layers for digest in (blob.digest, diff_id)}
    claims |= set(chain_ids(image.config.diff_ids))
    with leases.lease(store.disk, f"pull {reference.familiar}", claims) as lease:
        with store.reading() as tx:
            is_new = not _is_current(tx, reference, image)
            known = _known(tx, image)
            held = names.lookup(tx, str(image.manifest.config.digest)) is not None
        # Of an image that is here already, Docker names no layers.
        about_layers = Silent() if held else progress
        again = _PastMirrors(repository)
        records = LayerFetch(store, repository, about_layers, known, again=again).run(image.layers)
        store_documents(store, image)
        made = make_metadata(store, image, records, prepare)
        with store.writing() as tx:
            recorded = record_pull(tx, image, records, reference, lease)
            if made is not None:
                chains.set_metadata(tx, *made)
    _conclude(progress, reference, recorded, image, is_new=is_new, platform=platform)
    return Pulled(image=recorded.image, target=recorded.target, new=is_new)


def pull_status(name: str, *, is_new: bool) -> str:
    """Docker's sentence on what came of pulling `name`."""
    return f"{'Downloaded newer image' if is_new else 'Image is up to date'} for {name}"


def _known(tx: Transaction, image: Plan) -> dict[Digest, LayerRecord]:
    known = {blob.digest: images.layer_of_blob(tx, blob.digest) for blob, _ in image.layers}
    return {digest: record for digest, record in known.items() if record is not None}


def _is_current(tx: Transaction, reference: Reference, image: Plan) -> bool:
    if reference.digest is not None:
        query = "SELECT 1 FROM repo_digests WHERE repository = ? AND digest = ? AND image = ?"
        row = (reference.name, str(reference.digest), str(image.manifest.config.digest))
        return tx.execute(query, row).fetchone() is not None
    return names.target(tx, reference) == (image.target.digest, image.manifest.config.digest)


def _conclude(
    progress: Progress, reference: Reference, recorded: Recorded, image: Plan, *, is_new: bool,
    platform: Platform | None,
) -> None:  # fmt: skip
    progress.report(
        Finished(
            digest=recorded.target,
            size=sum(blob.size for blob in image.manifest.layers),
            status=pull_status(reference.familiar, is_new=is_new),
        )
    )
    if platform is not None and rank(image.config.platform, platform) is None:
        progress.report(
            Warned(
                message=f"image with reference {reference.familiar} was found but its platform "
                f"({image.config.platform}) does not match the specified platform ({platform})"
            )
        )
