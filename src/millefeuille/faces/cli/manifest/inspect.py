"""`mille manifest inspect`."""

from __future__ import annotations

from millefeuille.annotations import Any, Final
from millefeuille.docker.shapes import manifest as shapes
from millefeuille.engine.registries import registries
from millefeuille.errors import Invalid, MilleError, NotFound
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, between
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import boolean
from millefeuille.oci import config as configs
from millefeuille.oci import manifest as manifests
from millefeuille.oci.descriptor import Descriptor, platform_json
from millefeuille.oci.digest import Digest
from millefeuille.oci.manifest import Index, Manifest
from millefeuille.oci.reference import Reference
from millefeuille.oci.strictjson import parse_object
from millefeuille.progress import Silent
from millefeuille.registry.repository import Repository

_INDEXES: Final = 64  # nobody needs more

INSECURE = boolean("insecure", "Allow communication with an insecure registry")
VERBOSE = boolean("verbose", "Output additional info including layers and platform", short="v")


def run(context: Context, call: Call) -> int:
    """Print a manifest as its registry has it; there are no lists under construction here."""
    with exits.refusing():
        reference = Reference.parse(call.arguments[-1]).tagged()
    if len(call.arguments) > 1:
        raise Refusal(f"No such manifest: {reference}")
    insecure = reference.registry if call[INSECURE] else ""
    try:
        repository = registries(context.settings, Silent(), insecure=insecure).repository(reference)
        descriptor, raw = repository.manifest(reference)
        shown = _verbose(repository, reference, descriptor, raw) if call[VERBOSE] else _plain(reference, raw)
    except NotFound as error:
        raise Refusal(f"no such manifest: {reference}", advice=error.advice) from error
    except MilleError as error:
        raise Refusal(str(error), advice=error.advice) from error
    context.terminal.write(shown)
    return 0


def _plain(reference: Reference, raw: bytes) -> str:
    return shapes.document_text(parse_object(raw, str(reference)))


def _verbose(repository: Repository, reference: Reference, descriptor: Descriptor, raw: bytes) -> str:
    document = manifests.parse(raw, descriptor.media_type, str(reference))
    if isinstance(document, Manifest):
        return shapes.verbose_text(_one(str(reference), document, _platform(repository, document)))
    return shapes.verbose_text(_each(repository, reference, document, {descriptor.digest}))


def _each(
    repository: Repository, reference: Reference, index: Index, seen: set[Digest]
) -> list[dict[str, Any]]:
    """What an index lists, and in its place what an index within it lists, each of these once."""
    found: list[dict[str, Any]] = []
    for entry in index.manifests:
        if entry.digest in seen:
            continue
        descriptor, raw = repository.manifest(entry)
        held = manifests.parse(raw, descriptor.media_type, f"{reference}@{entry.digest}")
        if isinstance(held, Index):
            seen.add(entry.digest)
            if len(seen) > _INDEXES:
                raise Invalid(f"{reference}: more than {_INDEXES} indexes within each other")
            found += _each(repository, reference, held, seen)
        else:
            platform = entry.to_json().get("platform") or _platform(repository, held)
            found.append(_one(f"{reference}@{entry.digest}", held, platform))
    return found


def _one(name: str, manifest: Manifest, platform: dict[str, Any]) -> dict[str, Any]:
    digest = Digest.of(manifest.raw)
    descriptor = {"mediaType": manifest.media_type, "digest": str(digest), "size": len(manifest.raw)}
    if platform:
        descriptor["platform"] = shapes.ordered_platform(platform)
    return shapes.verbose_entry(name, descriptor, manifest.raw, parse_object(manifest.raw, name))


def _platform(repository: Repository, manifest: Manifest) -> dict[str, Any]:
    """The platform of an image that stands alone is told by its config."""
    if not manifest.is_image or manifest.config.size > configs.MAXIMUM_BYTES:
        return {}
    buffer = bytearray(manifest.config.size)
    view = memoryview(buffer)
    with repository.open(manifest.config) as stream:
        while view and (count := stream.readinto(view)):
            view = view[count:]
    return dict(platform_json(configs.parse(bytes(buffer), "image config").platform))


COMMAND = Command(
    usage="[OPTIONS] [MANIFEST_LIST] MANIFEST",
    arguments=between(1, 2),
    options=(
        INSECURE,
        VERBOSE,
    ),
    run=run,
    complete="image",
)
