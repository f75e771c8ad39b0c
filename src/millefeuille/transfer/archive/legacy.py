"""Docker archives before 1.10: a directory for each layer, each with the image as it was at that layer.

    repositories          {"busybox": {"latest": ID}}
    ID/{VERSION,json,layer.tar}   json names its parent's ID

The image config is put together as Docker does when it loads such an archive, so the image ID is the same.
Source: Docker's image specification 1.0 and what dockerd 20.10 makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from millefeuille.annotations import Any, Final
from millefeuille.later import pattern
from millefeuille.oci import config as image_config
from millefeuille.oci import manifest as documents
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform, rank
from millefeuille.oci.reference import Reference
from millefeuille.oci.strictjson import parse_object
from millefeuille.plainjson import dumps
from millefeuille.transfer.archive.contents import BadArchive, Contents
from millefeuille.transfer.archive.diffs import plain_digest
from millefeuille.transfer.archive.found import ArchiveSource, Found, layer_blob, parse_name
from millefeuille.transfer.archive.landmarks import REPOSITORIES
from millefeuille.transfer.made import make_plan
from millefeuille.values import dataclass

_MAXIMUM_BYTES: Final = 4 << 20
_ID: Final = pattern(r"(?a)[0-9a-f]{64}")
# What says something about one layer, or about how the layer was made; the whole image has none of it.
_DROPPED: Final = frozenset({"id", "parent", "Size", "parent_id", "layer_id", "throwaway"})


@dataclass(frozen=True, slots=True)
class _Layer:
    fields: Mapping[str, Any]
    blob: Descriptor
    diff_id: Digest


def legacy_images(contents: Contents, source: ArchiveSource, wanted: Platform | None) -> Iterator[Found]:
    """The images of an archive with `repositories` alone. Raises BadArchive, Invalid kinds, ShortArchive."""
    known: dict[str, _Layer] = {}
    for identifier, names in _named(contents).items():
        layers = [_layer(contents, source, each, known) for each in _line(contents, identifier)]
        config = image_config.parse(_config(layers))
        if wanted is None or rank(config.platform, wanted, strict=True) is not None:
            plan = make_plan(config, [layer.blob for layer in layers])
            yield Found(names=tuple(names), plans=(plan,), made=True)


def _named(contents: Contents) -> dict[str, list[Reference]]:
    found: dict[str, list[Reference]] = {}
    for repository, tags in parse_object(contents.read(REPOSITORIES, _MAXIMUM_BYTES), REPOSITORIES).items():
        if not isinstance(tags, dict):
            raise BadArchive(f"invalid archive: {REPOSITORIES} is malformed")
        for tag, identifier in tags.items():
            found.setdefault(_checked(identifier), []).append(parse_name(f"{repository}:{tag}"))
    return found


def _checked(identifier: object) -> str:
    if not isinstance(identifier, str) or not _ID.fullmatch(identifier):
        raise BadArchive(f"invalid archive: {dumps(identifier)} is no image ID")
    return identifier


def _line(contents: Contents, identifier: str) -> list[str]:
    """An image's layers by their IDs, lowest first."""
    line: list[str] = []
    following: object = identifier
    while following:
        present = _checked(following)
        if present in line or len(line) >= documents.MAXIMUM_LAYERS:
            raise BadArchive(f"invalid archive: image {identifier} has no end of parents")
        line.append(present)
        following = _fields(contents, present).get("parent")
    return line[::-1]


def _fields(contents: Contents, identifier: str) -> dict[str, Any]:
    return parse_object(contents.read(f"{identifier}/json", _MAXIMUM_BYTES), f"{identifier}/json")


def _layer(contents: Contents, source: ArchiveSource, identifier: str, known: dict[str, _Layer]) -> _Layer:
    if identifier not in known:
        member = contents.member(f"{identifier}/layer.tar")
        diff_id = plain_digest(contents, member)
        blob = layer_blob(contents, member, diff_id)
        source.add(blob.digest, member)
        known[identifier] = _Layer(_fields(contents, identifier), blob, diff_id)
    return known[identifier]


def _config(layers: list[_Layer]) -> bytes:
    fields = {key: value for key, value in layers[-1].fields.items() if key not in _DROPPED}
    fields["history"] = [_history(layer.fields) for layer in layers]
    fields["rootfs"] = {"type": "layers", "diff_ids": [str(layer.diff_id) for layer in layers]}
    text = dumps(dict(sorted(fields.items())), separators=(",", ":"), ensure_ascii=False)
    # Go writes these three so that they are safe in HTML; they can stand in strings only.
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()


def _history(fields: Mapping[str, Any]) -> dict[str, Any]:
    made_by = fields.get("container_config")
    command = made_by.get("Cmd") if isinstance(made_by, dict) else None
    words = " ".join(word for word in command if isinstance(word, str)) if isinstance(command, list) else ""
    texts = {
        "created": fields.get("created"), "author": fields.get("author"), "created_by": words,
        "comment": fields.get("comment"),
    }  # fmt: skip
    return {key: text for key, text in texts.items() if text and isinstance(text, str)}
