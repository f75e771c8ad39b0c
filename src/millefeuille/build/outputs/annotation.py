"""Annotations: notes on the documents of an image, and to which of these each goes.

Source: buildx, util/buildflags/export.go; BuildKit, exporter/containerimage/exptypes/annotations.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from millefeuille.annotations import Final
from millefeuille.errors import Invalid
from millefeuille.oci.platform import Platform
from millefeuille.values import dataclass

LEVELS: Final = ("manifest", "index", "manifest-descriptor", "index-descriptor")
_TYPE: Final = re.compile(r"([a-z-]+)(?:\[([A-Za-z0-9_/.-]+)\])?", re.ASCII)
_ATTRIBUTE: Final = re.compile(
    r"annotation(?:-(manifest|index|manifest-descriptor|index-descriptor))?(?:\[([A-Za-z0-9_/.-]+)\])?\.(.+)",
    re.ASCII,
)


class BadAnnotation(Invalid):
    """The text is no annotation, or one that nothing here can carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One note, on the documents of one `platform` or of all."""

    level: str
    platform: Platform | None
    key: str
    value: str


def parse_annotation(text: str) -> tuple[Annotation, ...]:
    """Read `[LEVEL[PLATFORM],…:]KEY=VALUE`, as `--annotation` takes it.

    Raises BadAnnotation, InvalidPlatform.
    """
    left, equals, value = text.partition("=")
    if not equals:
        raise BadAnnotation(f'invalid annotation "{text}", expected key=value')
    types, colon, key = left.partition(":")
    if not colon:
        types, key = "manifest", left
    if not key:
        raise BadAnnotation(f'invalid annotation "{text}", the key is empty')
    return tuple(
        Annotation(level=level, platform=platform, key=key, value=value)
        for level, platform in (_level(item) for item in types.split(","))
    )


def parse_attribute(key: str, value: str) -> Annotation | None:
    """Read `annotation[-LEVEL][[PLATFORM]].KEY`, an attribute of an output; None for any other attribute."""
    match = _ATTRIBUTE.fullmatch(key)
    if match is None:
        return None
    platform = Platform.parse(match[2]) if match[2] else None
    return Annotation(level=match[1] or "manifest", platform=platform, key=match[3], value=value)


def notes(annotations: Iterable[Annotation], level: str, platform: Platform | None = None) -> dict[str, str]:
    """What goes to the document of a level: for all platforms first, then for `platform`; sorted by key."""
    found = [one for one in annotations if one.level == level and one.platform in (None, platform)]
    found.sort(key=lambda one: one.platform is not None)
    return dict(sorted({one.key: one.value for one in found}.items()))


def _level(text: str) -> tuple[str, Platform | None]:
    match = _TYPE.fullmatch(text)
    if match is None or match[1] not in LEVELS:
        raise BadAnnotation(f'unknown annotation type "{text}"', advice=f"There are {', '.join(LEVELS)}.")
    return match[1], Platform.parse(match[2]) if match[2] else None
