"""Docker archives since 1.10: manifest.json names each image's config and its layers, lowest first.

Source: Docker's image specification 1.2, "Combined Image JSON + Filesystem Changeset Format".
"""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.annotations import Any, Final
from millefeuille.oci import config as image_config
from millefeuille.oci import manifest as documents
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform, rank
from millefeuille.oci.strictjson import InvalidDocument, check_names, parse_list
from millefeuille.store.blobs import CorruptBlob
from millefeuille.transfer.archive.contents import BadArchive, Contents
from millefeuille.transfer.archive.found import ArchiveSource, Found, layer_blob, parse_name
from millefeuille.transfer.archive.landmarks import MANIFEST
from millefeuille.transfer.made import make_plan

_MAXIMUM_BYTES: Final = 4 << 20
_MAXIMUM_IMAGES: Final = 10_000
_DIRECTORY: Final = "version"  # beside the manifest, in what containers/image calls a dir
_HEX: Final = frozenset("0123456789abcdef")


def docker_images(contents: Contents, source: ArchiveSource, wanted: Platform | None) -> Iterator[Found]:
    """The images of an archive with a manifest.json, in its order; with `wanted` those for that platform.

    Their layers are added to `source`. Raises BadArchive, CorruptBlob, Invalid kinds, ShortArchive.
    """
    raw = contents.read(MANIFEST, _MAXIMUM_BYTES)
    if raw.lstrip()[:1] == b"{" and _DIRECTORY in contents:
        raise BadArchive(
            "unrecognized image format: this is a copy by the `dir:` transport of skopeo and podman",
            advice="Make a layout of it with `skopeo copy dir:DIRECTORY oci:LAYOUT`.",
        )
    listed = parse_list(raw, MANIFEST)
    if len(listed) > _MAXIMUM_IMAGES:
        raise BadArchive(f"invalid archive: {MANIFEST} is no list of images")
    for entry in listed:
        found = _image(contents, source, entry, wanted)
        if found is not None:
            yield found


def image_ids(contents: Contents) -> list[Digest]:
    """The IDs of the images that manifest.json lists, in its order. Raises BadArchive, CorruptBlob,
    Invalid kinds, ShortArchive.
    """
    try:
        listed = parse_list(contents.read(MANIFEST, _MAXIMUM_BYTES), MANIFEST)
    except InvalidDocument as error:
        raise BadArchive(f"invalid archive: {error}") from None
    names = [entry.get("Config") if isinstance(entry, dict) else None for entry in listed]
    return [_config(contents, name).id for name in names if isinstance(name, str)]


def _image(contents: Contents, source: ArchiveSource, entry: object, wanted: Platform | None) -> Found | None:
    fields = entry if isinstance(entry, dict) else {}
    check_names(fields, ("Config", "RepoTags", "Layers"), MANIFEST)
    paths, tags = fields.get("Layers"), fields.get("RepoTags")
    paths, tags = [] if paths is None else paths, [] if tags is None else tags
    if not isinstance(fields.get("Config"), str) or not _are_texts(paths) or not isinstance(tags, list):
        raise BadArchive(f"invalid archive: an entry of {MANIFEST} is malformed")
    if len(paths) > documents.MAXIMUM_LAYERS:
        raise BadArchive(f"invalid archive: more than {documents.MAXIMUM_LAYERS} layers")
    names = tuple(parse_name(tag) for tag in tags)
    config = _config(contents, fields["Config"])
    image_config.check_layers(config, len(paths), "invalid archive")
    if wanted is not None and rank(config.platform, wanted, strict=True) is None:
        return None
    layers = []
    for path, diff_id in zip(paths, config.diff_ids, strict=True):
        member = contents.member(path)
        blob = layer_blob(contents, member, diff_id)
        source.add(blob.digest, member)
        layers.append(blob)
    return Found(names=names, plans=(make_plan(config, layers),), made=True)


def _config(contents: Contents, name: str) -> ImageConfig:
    raw = contents.read(name, image_config.MAXIMUM_BYTES)
    promised = _promised(name)
    if promised and Digest.of(raw).hex != promised:
        raise CorruptBlob(f"{name}: does not match its digest in the archive")
    return image_config.parse(raw)


def _promised(name: str) -> str:
    """The SHA-256 that a config's name is; "" for another name. The archive has no other promise about it."""
    for prefix in ("blobs/sha256/", "sha256:"):
        if name.startswith(prefix):
            name = name.removeprefix(prefix)
            break
    name = name.removesuffix(".json")
    return name if len(name) == 64 and _HEX.issuperset(name) else ""


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)
