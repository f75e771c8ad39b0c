"""The engine's analysis of an image that a registry or another engine has, and that stays there."""

from __future__ import annotations

from millefeuille.engine.analysis import Analysis
from millefeuille.engine.archives import examined, in_stream
from millefeuille.engine.registries import registries
from millefeuille.engine.store import existing
from millefeuille.images.content import PlatformMissing
from millefeuille.layers.index import LayerIndex
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform, rank
from millefeuille.oci.reference import InvalidReference, Reference
from millefeuille.progress import Progress
from millefeuille.registry.engines import docker_archive, podman_archive
from millefeuille.settings import Settings
from millefeuille.store.blobs import Blobs
from millefeuille.store.disk import Disk
from millefeuille.store.images import layer_of_blob
from millefeuille.store.layers import open_index
from millefeuille.store.store import Store
from millefeuille.transfer.examine.layers import examine
from millefeuille.transfer.plan import Plan, plan


def in_docker(settings: Settings, name: str, platform: Platform | None = None) -> Analysis:
    """The analysis of an image that Docker's daemon has.

    Raises EngineUnreachable, NoImageThere, InvalidReference.
    """
    _check(name)
    with docker_archive(name, settings.environment) as read:
        return in_stream(settings, name, read, platform)


def in_podman(settings: Settings, name: str, platform: Platform | None = None) -> Analysis:
    """The analysis of an image that podman has.

    Raises EngineUnreachable, NoImageThere, InvalidReference.
    """
    _check(name)
    with podman_archive(name, settings.environment) as read:
        return in_stream(settings, name, read, platform)


def _check(name: str) -> None:
    # Engines know more than references: parts of IDs, and names without a tag.
    if not name:
        raise InvalidReference("invalid reference format")


def in_registry(
    settings: Settings, name: str, progress: Progress, platform: Platform | None = None
) -> Analysis:
    """The analysis of an image in a registry; layers that the store has are not fetched.

    Raises PlatformMissing where all that is there is for another platform, InvalidReference, NotFound,
    Denied, Unavailable kinds in Docker's words, and what layers raise.
    """
    reference = Reference.parse(name).tagged()
    repository = registries(settings, progress).repository(reference)
    target = repository.resolve(reference)
    store = existing(settings)
    blobs = store.blobs if store is not None else Blobs(Disk(settings.root))
    image = plan(target, repository, blobs, platform or Platform.host(), reference.familiar)
    if platform is not None and rank(image.config.platform, platform) is None:
        raise PlatformMissing(
            f"image with reference {reference.familiar} was found but its platform ({image.config.platform}) "
            f"does not match the specified platform ({platform})"
        )
    found = examine(image, repository, _known(store, image) if store is not None else {})
    return examined(settings, reference.familiar, found)


def _known(store: Store, image: Plan) -> dict[Digest, LayerIndex]:
    found: dict[Digest, LayerIndex] = {}
    with store.reading() as tx:
        for blob, diff_id in image.layers:
            record = layer_of_blob(tx, blob.digest)
            if record is not None and record.diff_id == diff_id:
                found[blob.digest] = open_index(store.disk, record)
    return found
