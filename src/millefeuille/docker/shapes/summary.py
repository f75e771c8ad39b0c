"""`image ls`: one image in short, as a JSON object and as rows of the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from millefeuille.annotations import Any
from millefeuille.docker.age import ZERO, ago, go_time
from millefeuille.docker.units import human_size
from millefeuille.values import dataclass

NONE = "<none>"
_UNKNOWN = "N/A"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSummary:
    """An image as lists show it.

    `tags` and `digests` are references as Docker prints them; `created` is Unix seconds; sizes are bytes,
    -1 where they were not computed, as is `containers`.
    """

    id: str
    created: int
    size: int
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    labels: Mapping[str, str] | None = None
    parent: str = ""
    shared: int = -1
    containers: int = -1


def image_summary(image: ImageSummary) -> dict[str, Any]:
    """The object of `GET /images/json`."""
    return {
        "Containers": image.containers,
        "Created": image.created,
        "Id": image.id,
        "Labels": None if image.labels is None else dict(sorted(image.labels.items())),
        "ParentId": image.parent,
        "RepoDigests": list(image.digests),
        "RepoTags": list(image.tags),
        "SharedSize": image.shared,
        "Size": image.size,
    }


def image_rows(
    image: ImageSummary, now: float, *, digests: bool = False, template: str = "", truncate: bool = True
) -> Iterator[dict[str, str]]:
    """The rows of one image, one for each name; those of `columns.IMAGES`.

    `digests` is the option of that name, `template` the format: one that prints digests gets a row for each.
    """
    for repository, tag, digest in _names(image, digests, digests or "{{.Digest}}" in template):
        yield image_row(image, repository, tag, digest, now, truncate=truncate)


def image_row(
    image: ImageSummary, repository: str, tag: str, digest: str, now: float, *, truncate: bool = True
) -> dict[str, str]:
    """One row, for one of the image's names."""
    return {
        "ID": short_id(image.id) if truncate else image.id,
        "Repository": repository,
        "Tag": tag,
        "Digest": digest,
        "CreatedSince": "" if image.created == ZERO else ago(image.created, now),
        "CreatedAt": go_time(image.created),
        "Size": human_size(image.size, 3),
        "Containers": _UNKNOWN if image.containers == -1 else str(image.containers),
        "VirtualSize": human_size(image.size),
        "SharedSize": _UNKNOWN if image.shared == -1 else human_size(image.shared),
        "UniqueSize": _UNKNOWN if image.shared == -1 else human_size(image.size - image.shared),
    }


def short_id(id: str) -> str:
    """The first twelve digits of an ID, without its algorithm."""
    return id.partition(":")[2][:12] if ":" in id else id[:12]


def _names(image: ImageSummary, shown: bool, needed: bool) -> Iterator[tuple[str, str, str]]:
    """Repository, tag and digest of each row: tags first, then digests whose repository has no tag."""
    if not image.tags and not image.digests:
        yield NONE, NONE, NONE
        return
    tags: dict[str, list[str]] = {}
    for text in image.tags:
        repository, _, tag = text.rpartition(":")
        tags.setdefault(repository, []).append(tag)
    digests: dict[str, list[str]] = {}
    for text in image.digests:
        repository, _, digest = text.partition("@")
        digests.setdefault(repository, []).append(digest)
    for repository, names in tags.items():
        held = digests.pop(repository, [])
        for tag in names:
            for digest in (held if needed and held else [NONE]):
                yield repository, tag, digest
    for repository, held in digests.items():
        for digest in held if shown else [""]:
            yield repository, NONE, digest
