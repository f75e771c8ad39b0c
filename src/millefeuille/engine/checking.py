"""What is known of the base images of a Dockerfile that is checked, not built: by their configs alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from millefeuille.build import process
from millefeuille.build.dockerfile.dockerfile import Dockerfile
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.expanded import expanded_from
from millefeuille.build.lint.facts import BaseFacts
from millefeuille.build.scope import Scope
from millefeuille.engine.store import existing
from millefeuille.errors import MilleError
from millefeuille.images.content import config_of, find_platform
from millefeuille.later import Later
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.progress import Silent
from millefeuille.settings import Settings
from millefeuille.store.blobs import Blobs
from millefeuille.store.disk import Disk
from millefeuille.store.names import is_full_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.engine import registries
    from millefeuille.transfer import plan
else:
    # A check whose base images are here loads nothing that speaks to registries.
    registries = Later("millefeuille.engine.registries")
    plan = Later("millefeuille.transfer.plan")


def base_facts(
    settings: Settings, dockerfile: Dockerfile, outer: Scope, target: Platform, *,
    named: Collection[str] = (), ask: bool = True,
) -> dict[int, BaseFacts]:  # fmt: skip
    """What is known of base images, by the index of the stage that stands on one.

    `outer` is the global scope; `named` are the contexts that stand in for images. One that is not in the
    store is looked for in its registry, with `ask`; one that cannot be had is unknown. Never raises.
    """
    found: dict[int, BaseFacts] = {}
    for index, name, platform in _bases(dockerfile, outer, target, named):
        try:
            config = _stored(settings, name, platform) or (_asked(settings, name, platform) if ask else None)
        except MilleError:
            continue
        if config is not None:
            found[index] = _facts(config)
    return found


def _bases(
    dockerfile: Dockerfile, outer: Scope, target: Platform, named: Collection[str]
) -> Iterator[tuple[int, str, Platform]]:
    stages: set[str] = set()
    for stage in dockerfile.stages:
        try:
            one = expanded_from(stage.from_, outer)
            platform = Platform.parse(one.platform) if one.platform else target
        except (DockerfileError, MilleError):
            one = None
        if one is not None and one.image.lower() not in {"scratch", *stages, *named}:
            yield stage.index, one.image, platform
        if stage.name:
            stages.add(stage.name)


def _stored(settings: Settings, name: str, platform: Platform) -> ImageConfig | None:
    store = existing(settings)
    if store is None:
        return None
    try:
        with store.reading() as tx:
            record = find_platform(tx, name, platform)
        return config_of(store.blobs, record)
    except MilleError:
        return None


def _asked(settings: Settings, name: str, platform: Platform) -> ImageConfig | None:
    if is_full_id(name):
        return None
    reference = Reference.parse(name).tagged()
    repository = registries.registries(settings, Silent()).repository(reference)
    target = repository.resolve(reference)
    blobs = Blobs(Disk(settings.root))
    return plan.plan(target, repository, blobs, platform, reference.familiar).config


def _facts(config: ImageConfig) -> BaseFacts:
    own = config.fields.get("config")
    run = own if isinstance(own, dict) else {}
    begun = process.begun(run, windows=config.platform.os == "windows")
    return BaseFacts(
        environment=dict(process.environment(begun)), shell=bool(run.get("Shell")), platform=config.platform
    )
