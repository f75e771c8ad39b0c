"""Plan: which documents and layers make up one image, before any layer moves."""

from __future__ import annotations

from millefeuille.errors import Invalid, Unsupported
from millefeuille.oci import config as image_config
from millefeuille.oci import manifest as documents
from millefeuille.oci import mediatype
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.configtypes import InvalidConfig
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.manifest import Index, Manifest
from millefeuille.oci.platform import Platform
from millefeuille.store.blobs import BlobNotFound, Blobs, CorruptBlob
from millefeuille.transfer.source import ImageSource
from millefeuille.values import dataclass

_DEPTH = 4  # indexes may hold indexes; nobody needs more


class NotAnImage(Unsupported):
    """The manifest describes something other than a container image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One image to be brought in.

    `indexes` lead from the target to the manifest, the target first; each document stands beside the
    descriptor it was found by. Without an index the target is the manifest itself.
    """

    indexes: tuple[tuple[Descriptor, Index], ...]
    descriptor: Descriptor
    manifest: Manifest
    config: ImageConfig

    @property
    def documents(self) -> tuple[tuple[Digest, bytes], ...]:
        """Digest and bytes of everything that is not a layer."""
        pairs = [(descriptor.digest, index.raw) for descriptor, index in self.indexes]
        manifest = (self.descriptor.digest, self.manifest.raw)
        return (*pairs, manifest, (self.manifest.config.digest, self.config.raw))

    @property
    def target(self) -> Descriptor:
        """What the name points to."""
        return self.indexes[0][0] if self.indexes else self.descriptor

    @property
    def layers(self) -> tuple[tuple[Descriptor, Digest], ...]:
        """Each layer's blob and diff ID, lowest first."""
        return tuple(zip(self.manifest.layers, self.config.diff_ids, strict=True))


def plan(
    target: Descriptor,
    source: ImageSource,
    blobs: Blobs,
    wanted: Platform,
    what: str,
    *,
    strict: bool = False,
) -> Plan:
    """Read documents, local ones first, from `target` down to the config of the image for `wanted`.

    `what` names the image in errors. Raises NoMatchingPlatform, NotAnImage, Invalid kinds, and what the
    source raises.
    """
    indexes: list[tuple[Descriptor, Index]] = []
    descriptor = target
    document = _document(descriptor, source, blobs, what)
    while isinstance(document, Index):
        indexes.append((descriptor, document))
        if len(indexes) > _DEPTH:
            raise Invalid(f"{what}: indexes nested deeper than {_DEPTH}")
        descriptor = documents.choose(document, wanted, what, strict)
        document = _document(descriptor, source, blobs, what)
    config = _config(document, source, blobs, what)
    return Plan(indexes=tuple(indexes), descriptor=descriptor, manifest=document, config=config)


def plan_at(
    indexes: tuple[tuple[Descriptor, Index], ...], descriptor: Descriptor, source: ImageSource, blobs: Blobs,
    what: str,
) -> Plan:  # fmt: skip
    """As `plan`, of the manifest that these indexes led to."""
    document = _document(descriptor, source, blobs, what)
    if isinstance(document, Index):
        raise documents.InvalidManifest(f"{what}: an index in the place of a manifest")
    config = _config(document, source, blobs, what)
    return Plan(indexes=indexes, descriptor=descriptor, manifest=document, config=config)


def _document(blob: Descriptor, source: ImageSource, blobs: Blobs, what: str) -> Manifest | Index:
    if blob.size > documents.MAXIMUM_BYTES:
        raise documents.InvalidManifest(f"{what}: manifest larger than {documents.MAXIMUM_BYTES} bytes")
    raw = _held(blob.digest, blobs)
    return documents.parse(source.manifest(blob)[1] if raw is None else raw, blob.media_type, what)


def _held(digest: Digest, blobs: Blobs) -> bytes | None:
    """A document that the store has; None for one that is missing, or damaged and to be fetched again."""
    try:
        return blobs.read(digest)
    except (BlobNotFound, CorruptBlob):
        return None


def _config(manifest: Manifest, source: ImageSource, blobs: Blobs, what: str) -> ImageConfig:
    if not manifest.is_image:
        raise NotAnImage(
            f"{what}: not an image, its config has media type {manifest.config.media_type}",
            advice="Artifacts of other kinds are not stored as images.",
        )
    for layer in manifest.layers:
        if mediatype.is_encrypted(layer.media_type):
            raise NotAnImage(f"{what}: layer {layer.digest}: unsupported media type {layer.media_type}")
    raw = _small_blob(manifest.config, source, blobs, what)
    config = image_config.parse(raw, f"{what}: image config")
    image_config.check_layers(config, len(manifest.layers), what)
    return config


def _small_blob(blob: Descriptor, source: ImageSource, blobs: Blobs, what: str) -> bytes:
    held = _held(blob.digest, blobs)
    if held is not None:
        return held
    if blob.size > image_config.MAXIMUM_BYTES:
        raise InvalidConfig(f"{what}: image config larger than {image_config.MAXIMUM_BYTES} bytes")
    data = bytearray()
    buffer = bytearray(64 << 10)
    stream = source.open(blob)
    try:
        while (count := stream.readinto(buffer)) and len(data) <= blob.size:
            data += buffer[:count]
    finally:
        stream.close()
    if len(data) != blob.size:
        size = f"more than {blob.size}" if len(data) > blob.size else str(len(data))
        raise CorruptBlob(f"{what}: the image config has {size} bytes instead of the {blob.size} promised")
    if Digest.of(bytes(data), blob.digest.algorithm) != blob.digest:
        raise CorruptBlob(f"{what}: the image config does not match its digest {blob.digest}")
    return bytes(data)
