"""Bases: the images that stages begin with, and that files are taken from."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any, Protocol
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.store.images import LayerRecord
from millefeuille.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """An image of the store, as a stage begins with it; without layers: `scratch`.

    `document` is its whole config; `blobs` are the descriptors under which its manifest holds the layers, by
    diff ID; `digest` is what its name pointed to, None for scratch.
    """

    name: str
    platform: Platform
    digest: Digest | None = None
    document: Mapping[str, Any] = field(default_factory=dict)
    layers: tuple[LayerRecord, ...] = ()
    blobs: Mapping[Digest, Descriptor] = field(default_factory=dict)

    @property
    def process(self) -> Mapping[str, Any]:
        """The `config` member of its config."""
        value = self.document.get("config")
        return value if isinstance(value, dict) else {}

    @property
    def triggers(self) -> tuple[str, ...]:
        """Its ONBUILD instructions."""
        value = self.process.get("OnBuild")
        return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()


class Bases(Protocol):
    """Where base images come from: the store, or a registry by way of it. Called from several threads."""

    def resolve(self, name: str, platform: Platform) -> Base:
        """The image called `name` for that platform, its layers in the store and claimed for this build.

        Raises what bringing it in raises: NotFound, Invalid, Unreachable, and the store's errors.
        """
