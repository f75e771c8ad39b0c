"""Manifest and Index: parsed views over raw bytes.

The bytes are the truth: a view keeps them, and they are never written again in another form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from millefeuille.annotations import Any
from millefeuille.errors import Invalid, NotFound, Unsupported
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform, rank
from millefeuille.oci.strictjson import check_names, parse_object
from millefeuille.values import dataclass, field

MAXIMUM_BYTES = 4 << 20  # what registries and other clients accept
MAXIMUM_LAYERS = 512
MAXIMUM_MANIFESTS = 10_000
ATTESTATION = "attestation-manifest"
_MEMBERS = frozenset(
    "schemaVersion mediaType artifactType config layers manifests subject annotations fsLayers".split()
)


class InvalidManifest(Invalid):
    """The bytes are not a manifest or index."""


class UnsupportedManifest(Unsupported):
    """A kind of manifest that this engine does not read."""


class NoMatchingPlatform(NotFound):
    """An index has no image for the platform that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One image: its config and its layers, lowest first."""

    raw: bytes = field(repr=False)
    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    subject: Descriptor | None = None
    artifact_type: str | None = None

    @property
    def is_image(self) -> bool:
        """False for artifacts: their config is not an image config."""
        return self.config.media_type in mediatype.CONFIGS

    def descriptor(self, algorithm: str = "sha256") -> Descriptor:
        """The descriptor that names these bytes."""
        digest = Digest.of(self.raw, algorithm)
        return Descriptor(media_type=self.media_type, digest=digest, size=len(self.raw))


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Several images under one name, usually one for each platform."""

    raw: bytes = field(repr=False)
    media_type: str
    manifests: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)

    def descriptor(self, algorithm: str = "sha256") -> Descriptor:
        """The descriptor that names these bytes."""
        digest = Digest.of(self.raw, algorithm)
        return Descriptor(media_type=self.media_type, digest=digest, size=len(self.raw))


def parse(raw: bytes, media_type: str | None = None, what: str = "manifest") -> Manifest | Index:
    """Read a manifest or an index.

    `media_type` is what the parent descriptor or the server said, None when nobody did; `what` names the
    document in errors. Raises InvalidManifest, InvalidDocument, InvalidDescriptor, UnsupportedManifest.
    """
    if len(raw) > MAXIMUM_BYTES:
        raise InvalidManifest(f"{what}: larger than {MAXIMUM_BYTES} bytes")
    fields = parse_object(raw, what)
    check_names(fields, _MEMBERS, what)
    kind = _kind(fields, media_type, what)
    if kind in mediatype.SCHEMA1 or fields.get("schemaVersion") == 1:
        raise UnsupportedManifest(
            f"{what}: schema 1 manifests are no longer supported",
            advice="Build and push the image again with a tool that writes OCI or Docker schema 2 manifests.",
        )
    if fields.get("schemaVersion") != 2:
        raise InvalidManifest(f"{what}: schemaVersion must be 2")
    if kind in mediatype.INDEXES:
        return _index(raw, fields, kind, what)
    if kind in mediatype.MANIFESTS:
        return _manifest(raw, fields, kind, what)
    raise UnsupportedManifest(f"{what}: unsupported media type {kind!r}")


def choose(index: Index, wanted: Platform, what: str = "image", strict: bool = False) -> Descriptor:
    """The entry of `index` for `wanted`: the best rank, the first of equals.

    Raises NoMatchingPlatform, in Docker's words, with the platforms on offer as advice.
    """
    candidates = [entry for entry in index.manifests if is_candidate(entry)]
    best: tuple[int, int, Descriptor] | None = None
    for position, entry in enumerate(candidates):
        if entry.platform is None:
            place = 0 if len(candidates) == 1 else None
        else:
            place = rank(entry.platform, wanted, strict)
        if place is not None and (best is None or (place, position) < best[:2]):
            best = (place, position, entry)
    if best is None:
        offered = ", ".join(sorted({str(c.platform) for c in candidates if c.platform}))
        raise NoMatchingPlatform(
            f"no matching manifest for {wanted} in the manifest list entries",
            advice=f"{what} offers: {offered}" if offered else None,
        )
    return best[2]


def is_candidate(entry: Descriptor) -> bool:
    """True when an index entry can be an image: attestations and artifacts are not."""
    if is_attestation(entry) or entry.artifact_type:
        return False
    if entry.platform is not None and entry.platform.os == "unknown":
        return False
    return entry.media_type in mediatype.MANIFESTS or entry.media_type in mediatype.INDEXES


def is_attestation(entry: Descriptor) -> bool:
    """True when an index entry says something about another entry, and can never be an image itself."""
    return entry.annotations.get("vnd.docker.reference.type") == ATTESTATION


def _kind(fields: Mapping[str, Any], media_type: str | None, what: str) -> str:
    """Which document this is: the body's word, checked against the outside word and its structure."""
    known = mediatype.INDEXES | mediatype.MANIFESTS | mediatype.SCHEMA1
    body = fields.get("mediaType")
    if body is not None and not isinstance(body, str):
        raise InvalidManifest(f"{what}: mediaType must be a string")
    has_index, has_image = "manifests" in fields, "layers" in fields or "config" in fields
    if has_index and (has_image or "fsLayers" in fields):
        raise InvalidManifest(f"{what}: both an index and an image")
    kind = body or (media_type if media_type in known else None)
    if body and media_type in known and body != media_type:
        raise InvalidManifest(f"{what}: served as {media_type}, but says it is {body}")
    if kind is None and fields.get("schemaVersion") == 1:
        return mediatype.DOCKER_SCHEMA1
    kind = kind or (mediatype.OCI_INDEX if has_index else mediatype.OCI_MANIFEST)
    if (kind in mediatype.INDEXES and has_image) or (kind in mediatype.MANIFESTS and has_index):
        raise InvalidManifest(f"{what}: its content is not what its media type {kind} says")
    return kind


def _list(fields: Mapping[str, Any], key: str, limit: int, what: str) -> Sequence[object]:
    value = fields.get(key)
    if not isinstance(value, list):
        raise InvalidManifest(f"{what}: {key} must be a list")
    if len(value) > limit:
        raise InvalidManifest(f"{what}: more than {limit} {key}")
    return value


def _annotations(fields: Mapping[str, Any]) -> dict[str, str]:
    value = fields.get("annotations")
    return {k: v for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}


def _index(raw: bytes, fields: Mapping[str, Any], kind: str, what: str) -> Index:
    entries = _list(fields, "manifests", MAXIMUM_MANIFESTS, what)
    manifests = tuple(Descriptor.from_json(entry, what) for entry in entries)
    return Index(raw=raw, media_type=kind, manifests=manifests, annotations=_annotations(fields))


def _manifest(raw: bytes, fields: Mapping[str, Any], kind: str, what: str) -> Manifest:
    layers = _list(fields, "layers", MAXIMUM_LAYERS, what)
    subject, artifact = fields.get("subject"), fields.get("artifactType")
    return Manifest(
        raw=raw,
        media_type=kind,
        config=Descriptor.from_json(fields.get("config"), what),
        layers=tuple(Descriptor.from_json(layer, what) for layer in layers),
        annotations=_annotations(fields),
        subject=Descriptor.from_json(subject, what) if subject is not None else None,
        artifact_type=artifact if isinstance(artifact, str) and artifact else None,
    )
