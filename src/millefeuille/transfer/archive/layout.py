"""OCI layouts in a tar: index.json leads to manifests, and these to blobs, all by digest.

Source: OCI image-spec, image-layout.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.annotations import Final
from millefeuille.oci import manifest as documents
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.manifest import Index, Manifest
from millefeuille.oci.platform import Platform, rank
from millefeuille.oci.reference import Reference
from millefeuille.oci.strictjson import parse_object
from millefeuille.store.blobs import BlobNotFound, Blobs
from millefeuille.transfer.archive.contents import BadArchive, Contents
from millefeuille.transfer.archive.found import ArchiveSource, Found, parse_name
from millefeuille.transfer.archive.landmarks import INDEX, LAYOUT
from millefeuille.transfer.archive.listings import CONTAINERD_NAME, REF_NAME
from millefeuille.transfer.plan import Plan, plan

_MAXIMUM_LAYOUT: Final = 4096  # bytes
_DEPTH: Final = 4


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
    offered = list(dict.fromkeys(_platforms(target, source, blobs, what, 0)))
    if wanted is not None:
        ranked = [(rank(item[1], wanted, strict=True), item) for item in offered]
        offered = [item for place, item in ranked if place is not None][:1]
    host = Platform.host()
    places = {platform: rank(platform, host) for _, platform in offered}
    # A stable sort: the best for this machine goes to the end, the others keep their order.
    offered.sort(key=lambda item: -1000 if (place := places[item[1]]) is None else -place)
    for is_indexed, platform in offered:
        if is_indexed:
            yield plan(target, source, blobs, platform, what, strict=True)
        else:
            yield plan(target, source, blobs, host, what)


def _platforms(
    target: Descriptor, source: ArchiveSource, blobs: Blobs, what: str, depth: int
) -> Iterator[tuple[bool, Platform]]:
    """The platforms of the manifests that are at hand below `target`, and whether an index names them."""
    if depth > _DEPTH:
        raise BadArchive(f"{what}: indexes nested deeper than {_DEPTH}")
    if target.digest not in source and target.digest not in blobs:
        if depth == 0:
            raise BlobNotFound(f"content digest {target.digest}: not found")
        return
    if target.size > documents.MAXIMUM_BYTES:
        raise documents.InvalidManifest(f"{what}: manifest larger than {documents.MAXIMUM_BYTES} bytes")
    raw = blobs.read(target.digest) if target.digest in blobs else source.manifest(target)[1]
    document = documents.parse(raw, target.media_type, what)
    if isinstance(document, Manifest):
        yield from _platform(target, document, source, blobs, what, depth)
        return
    for entry in document.manifests:
        if documents.is_candidate(entry):
            yield from _platforms(entry, source, blobs, what, depth + 1)


def _platform(
    target: Descriptor, manifest: Manifest, source: ArchiveSource, blobs: Blobs, what: str, depth: int
) -> Iterator[tuple[bool, Platform]]:
    if depth and target.platform is not None:
        yield True, target.platform
    elif manifest.is_image:
        yield False, plan(target, source, blobs, Platform.host(), what).config.platform
