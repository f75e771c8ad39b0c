"""Descriptor: a promise about a blob."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.errors import Invalid
from millefeuille.oci.digest import Digest, InvalidDigest
from millefeuille.oci.platform import Platform, from_json
from millefeuille.oci.strictjson import check_names
from millefeuille.values import dataclass, field

_MAXIMUM_SIZE = 2**53
_MEMBERS = frozenset("mediaType digest size urls annotations data artifactType platform".split())
_PLATFORM = frozenset("architecture os os.version os.features variant features".split())


class InvalidDescriptor(Invalid):
    """A JSON value is not a descriptor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """Media type, digest and size (bytes) of a blob; equal when these three are.

    Source: OCI image-spec, descriptor.md.
    """

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = field(default=None, compare=False)
    annotations: Mapping[str, str] = field(default_factory=dict, compare=False)
    artifact_type: str | None = field(default=None, compare=False)
    urls: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def from_json(cls, value: object, what: str) -> Descriptor:
        """Read a descriptor strictly; `what` names it in errors.

        Raises InvalidDescriptor, InvalidDocument.
        """
        if not isinstance(value, dict):
            raise InvalidDescriptor(f"{what}: a descriptor must be an object")
        fields: dict[str, Any] = value
        check_names(fields, _MEMBERS, what)
        platform = fields.get("platform")
        check_names(platform if isinstance(platform, dict) else (), _PLATFORM, what)
        media_type, digest, size = fields.get("mediaType"), fields.get("digest"), fields.get("size")
        if not isinstance(media_type, str) or not media_type:
            raise InvalidDescriptor(f"{what}: a descriptor needs a mediaType")
        if type(size) is not int or not 0 <= size < _MAXIMUM_SIZE:
            raise InvalidDescriptor(f"{what}: a descriptor needs a size of 0 or more bytes")
        try:
            parsed = Digest.parse(digest if isinstance(digest, str) else "")
        except InvalidDigest as error:
            raise InvalidDescriptor(f"{what}: {error}") from error
        return cls(
            media_type=media_type,
            digest=parsed,
            size=size,
            platform=from_json(platform),
            annotations=_strings(fields.get("annotations")),
            artifact_type=_text(fields.get("artifactType")),
            urls=_urls(fields.get("urls")),
        )

    def to_json(self) -> dict[str, Any]:
        """The descriptor as a JSON object, keys in the order of the specification."""
        value: dict[str, Any] = {
            "mediaType": self.media_type,
            "digest": str(self.digest),
            "size": self.size,
        }
        if self.annotations:
            value["annotations"] = dict(self.annotations)
        if self.platform is not None:
            value["platform"] = platform_json(self.platform)
        if self.artifact_type:
            value["artifactType"] = self.artifact_type
        return value


def platform_json(platform: Platform) -> dict[str, str]:
    """A platform as the JSON member of a descriptor."""
    value = {"architecture": platform.architecture, "os": platform.os}
    if platform.os_version:
        value["os.version"] = platform.os_version
    if platform.variant:
        value["variant"] = platform.variant
    return value


def _strings(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {key: text for key, text in value.items() if isinstance(text, str)}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _urls(value: object) -> tuple[str, ...]:
    return tuple(url for url in value if isinstance(url, str)) if isinstance(value, list) else ()
