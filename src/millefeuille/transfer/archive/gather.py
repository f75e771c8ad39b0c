"""Gather: all documents and blobs that the chosen images need, as they are stored or turned into OCI's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from millefeuille.annotations import Any
from millefeuille.oci import config as image_config
from millefeuille.oci import manifest as documents
from millefeuille.oci import mediatype
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.manifest import Index, Manifest
from millefeuille.plainjson import dumps, loads
from millefeuille.store.attachments import attachments
from millefeuille.store.blobs import Blobs
from millefeuille.transfer.archive.selection import Chosen
from millefeuille.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """One image of the archive: its manifest as it goes in, and its config."""

    manifest: Manifest
    config: ImageConfig


@dataclass(kw_only=True)
class Gathered:
    """What goes into `blobs/`: small documents by their bytes, layers by their descriptors."""

    documents: dict[Digest, bytes] = field(default_factory=dict)
    layers: dict[Digest, Descriptor] = field(default_factory=dict)
    # For each chosen entry its descriptor in index.json, and its images, the one its name means first.
    entries: list[tuple[Chosen, Descriptor, list[Packed]]] = field(default_factory=list)
    # What index.json notes on each entry, beside its name.
    notes: Mapping[str, str] = field(default_factory=dict)


def gather(blobs: Blobs, chosen: Sequence[Chosen], *, oci: bool) -> Gathered:
    """Read all documents of `chosen`, checked against their digests.

    With `oci`, documents of Docker's types become such of OCI's types, with digests of their own; without,
    every byte is as it is stored. Raises BlobNotFound, CorruptBlob, Invalid kinds.
    """
    gathered = Gathered()
    for one in chosen:
        _Gathering(blobs, gathered, one, oci=oci).run()
    return gathered


class _Gathering:
    def __init__(self, blobs: Blobs, gathered: Gathered, chosen: Chosen, *, oci: bool) -> None:
        self._blobs = blobs
        self._gathered = gathered
        self._chosen = chosen
        self._oci = oci
        self._wanted = {descriptor.digest for descriptor in chosen.manifests}
        self._images: dict[Digest, Packed] = {}
        self._taken: dict[Digest, Descriptor | None] = {}  # what became of each document

    def run(self) -> None:
        entry = self._document(self._chosen.target) or self._chosen.target
        order = [descriptor.digest for descriptor in self._chosen.manifests]
        images = [self._images[digest] for digest in order if digest in self._images]
        self._gathered.entries.append((self._chosen, entry, images))

    def _document(self, descriptor: Descriptor) -> Descriptor | None:
        """Take a document and all below it, once however often it is listed.

        Its descriptor in the archive, None when it is left out.
        """
        if descriptor.digest not in self._taken:
            document = documents.parse(self._blobs.read(descriptor.digest), descriptor.media_type)
            if isinstance(document, Index):
                self._taken[descriptor.digest] = self._index(descriptor, document)
            else:
                wanted = descriptor.digest in self._wanted
                self._taken[descriptor.digest] = self._manifest(descriptor, document) if wanted else None
        return self._taken[descriptor.digest]

    def _index(self, descriptor: Descriptor, index: Index) -> Descriptor | None:
        taken: dict[Digest, Descriptor] = {}
        for entry in index.manifests:
            known = entry.digest in self._wanted or entry.media_type in mediatype.INDEXES
            if known and entry.digest in self._blobs and (below := self._document(entry)) is not None:
                taken[entry.digest] = below
        if not taken:
            return None
        for attached in self._attestations(index):
            taken[attached.digest] = attached
        if not self._oci or _is_oci(index, taken):
            self._gathered.documents[descriptor.digest] = index.raw
            return descriptor
        fields = loads(index.raw) | {"mediaType": mediatype.OCI_INDEX}
        # Those left behind would have to change their digests too, so they cannot be listed.
        fields["manifests"] = [
            entry | _renamed(taken[Digest.parse(entry["digest"])])
            for entry in fields["manifests"]
            if Digest.parse(entry["digest"]) in taken
        ]
        return self._add(descriptor, fields, mediatype.OCI_INDEX)

    def _attestations(self, index: Index) -> Iterator[Descriptor]:
        """What the index says about its images, where the store has it; taken as it is."""
        for part in attachments(self._blobs, index):
            if part.media_type == mediatype.IN_TOTO:
                self._gathered.layers[part.digest] = part
                continue
            self._gathered.documents[part.digest] = self._blobs.read(part.digest)
            if part.media_type in mediatype.MANIFESTS:
                yield part

    def _manifest(self, descriptor: Descriptor, manifest: Manifest) -> Descriptor:
        config = self._blobs.read(manifest.config.digest)
        self._gathered.documents[manifest.config.digest] = config
        for layer in manifest.layers:
            self._gathered.layers[layer.digest] = layer
        described = descriptor
        if self._oci and manifest.media_type == mediatype.DOCKER_MANIFEST:
            described, manifest = self._converted(descriptor, manifest)
        else:
            self._gathered.documents[descriptor.digest] = manifest.raw
        packed = Packed(manifest=manifest, config=image_config.parse(config))
        self._images[descriptor.digest] = packed
        return described

    def _converted(self, descriptor: Descriptor, manifest: Manifest) -> tuple[Descriptor, Manifest]:
        fields = loads(manifest.raw) | {"mediaType": mediatype.OCI_MANIFEST}
        for part in (fields["config"], *fields["layers"]):
            part["mediaType"] = mediatype.as_oci(part["mediaType"])
        described = self._add(descriptor, fields, mediatype.OCI_MANIFEST)
        parsed = documents.parse(self._gathered.documents[described.digest])
        assert isinstance(parsed, Manifest)  # it was one, and kept its parts
        return described, parsed

    def _add(self, descriptor: Descriptor, fields: Mapping[str, Any], media_type: str) -> Descriptor:
        raw = dumps(fields, separators=(",", ":")).encode()
        digest = Digest.of(raw)
        self._gathered.documents[digest] = raw
        return Descriptor(media_type=media_type, digest=digest, size=len(raw), platform=descriptor.platform)


def _is_oci(index: Index, taken: Mapping[Digest, Descriptor]) -> bool:
    if index.media_type != mediatype.OCI_INDEX:
        return False
    return all(old == new.digest for old, new in taken.items())


def _renamed(descriptor: Descriptor) -> dict[str, Any]:
    return {
        "mediaType": descriptor.media_type, "digest": str(descriptor.digest), "size": descriptor.size
    }  # fmt: skip
