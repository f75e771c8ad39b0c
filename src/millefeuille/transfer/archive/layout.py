"""OCI layouts in a tar: index.json leads to manifests, and these to blobs, all by digest.

Source: OCI image-spec, image-layout.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.annotations import Final
from millefeuille.oci import manifest as documents
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.manifest import Index
from millefeuille.oci.platform import Platform, rank
from millefeuille.oci.reference import Reference
from millefeuille.oci.strictjson import parse_object
from millefeuille.store.blobs import BlobNotFound, Blobs
from millefeuille.transfer.archive.contents import BadArchive, Contents
from millefeuille.transfer.archive.found import ArchiveSource, Found, parse_name
from millefeuille.transfer.archive.landmarks import CONTAINERD_NAME, INDEX, LAYOUT, REF_NAME
from millefeuille.transfer.plan import Plan, plan_at

_MAXIMUM_LAYOUT: Final = 4096  # bytes
_DEPTH: Final = 4

_Indexes = tuple[tuple[Descriptor, Index], ...]
_Trail = tuple[_Indexes, Descriptor]  # the indexes that lead to a manifest, the first first, and the manifest


def layout_images(
    contents: Contents, source: ArchiveSource, blobs: Blobs, wanted: Platform | None
) -> Iterator[Found]:
    """The images of a layout, in the order of its index; with `wanted` those for that platform.

    Of an image for several platforms, those that the archive holds. Raises BadArchive, BlobNotFound,
    CorruptBlob, Invalid kinds.
    """
    version = parse_object(contents.read(LAYOUT, _MAXIMUM_LAYOUT), LAYOUT).get("imageLayoutVersion")
    if not isinstance(version, str) or not version.startswith("1."):
        raise BadArchive(f"unsupported OCI version {version}")
    raw = contents.read(INDEX, documents.MAXIMUM_BYTES)
    index = documents.parse(raw, mediatype.OCI_INDEX, INDEX)
    if not isinstance(index, Index):
        raise BadArchive(f"invalid archive: {INDEX} is no index")
    for target in index.manifests:
        if documents.is_attestation(target):
            continue
        plans = tuple(_plans(target, source, blobs, wanted))
        if plans:
            yield Found(names=_names(target), plans=plans)


def _names(target: Descriptor) -> tuple[Reference, ...]:
    name = target.annotations.get(CONTAINERD_NAME)
    if name is None:
        name = target.annotations.get(REF_NAME, "")
        # Without a repository it is a tag of nothing.
        if ":" not in name and "/" not in name:
            return ()
    return (parse_name(name),)


def _plans(
    target: Descriptor, source: ArchiveSource, blobs: Blobs, wanted: Platform | None
) -> Iterator[Plan]:
    """A plan for each platform at hand, this machine's last."""
    what = f"{INDEX}: {target.digest}"
    offered: dict[Platform, _Trail] = {}
    for platform, trail in _platforms(target, source, blobs, what, (), {}):
        offered.setdefault(platform, trail)
    platforms = list(offered)
    if wanted is not None:
        ranked = [(rank(platform, wanted, strict=True), platform) for platform in platforms]
        platforms = [platform for place, platform in ranked if place is not None][:1]
    host = Platform.host()
    places = {platform: rank(platform, host) for platform in platforms}
    # A stable sort: the best for this machine goes to the end, the others keep their order.
    platforms.sort(key=lambda platform: -1000 if (place := places[platform]) is None else -place)
    # A manifest listed for many platforms is one image all the same.
    trails = {offered[platform][1].digest: offered[platform] for platform in reversed(platforms)}
    for trail in reversed(trails.values()):
        yield plan_at(*trail, source, blobs, what)


def _platforms(
    target: Descriptor, source: ArchiveSource, blobs: Blobs, what: str, indexes: _Indexes,
    seen: dict[Digest, bool],
) -> Iterator[tuple[Platform, _Trail]]:  # fmt: skip
    """The platforms of the manifests that are at hand below `target`, and the way to each.

    `indexes` led to `target`; `seen` tells of each document that was read whether it is a manifest. None is
    read twice: indexes that list one another many times over would be walked for ever.
    """
    if len(indexes) > _DEPTH:
        raise BadArchive(f"{what}: indexes nested deeper than {_DEPTH}")
    if target.digest in seen:
        if seen[target.digest] and target.platform is not None:
            yield target.platform, (indexes, target)
        return
    if target.digest not in source and target.digest not in blobs:
        if not indexes:
            raise BlobNotFound(f"content digest {target.digest}: not found")
        return
    if target.size > documents.MAXIMUM_BYTES:
        raise documents.InvalidManifest(f"{what}: manifest larger than {documents.MAXIMUM_BYTES} bytes")
    raw = blobs.read(target.digest) if target.digest in blobs else source.manifest(target)[1]
    document = documents.parse(raw, target.media_type, what)
    seen[target.digest] = not isinstance(document, Index)
    if isinstance(document, Index):
        for entry in document.manifests:
            if documents.is_candidate(entry):
                yield from _platforms(entry, source, blobs, what, (*indexes, (target, document)), seen)
    elif indexes and target.platform is not None:
        yield target.platform, (indexes, target)
    elif document.is_image:
        yield plan_at(indexes, target, source, blobs, what).config.platform, (indexes, target)
