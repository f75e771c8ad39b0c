"""Which images the filters of `image ls` and `image prune` let pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from millefeuille.docker.filters import Filters
from millefeuille.docker.pattern import familiar_match
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.store.images import ImageRecord
from millefeuille.values import replace

LISTED = frozenset({"dangling", "before", "since", "reference", "label", "label!", "until"})
PRUNED = frozenset({"dangling", "label", "label!", "until"})

Find = Callable[[str], ImageRecord]


def listed(found: Iterable[ImageRecord], filters: Filters, *, find: Find, now: int) -> Iterator[ImageRecord]:
    """The images that `image ls` shows, with only the references that match.

    `find` gives the image that a filter names, `now` is nanoseconds since 1970.
    Raises InvalidFilter, BadPattern, NoSuchImage, InvalidTime.
    """
    filters.check(LISTED)
    dangling = filters.boolean("dangling", False)
    before = [find(text).created_ns for text in filters.get("before")]
    since = [find(text).created_ns for text in filters.get("since")]
    until = filters.until(now)
    if until is not None:
        before.append(until)
    everything = tuple(found)
    parents = {image.parent for image in everything if image.parent is not None}
    for image in everything:
        if before and image.created_ns >= min(before):
            continue
        if since and image.created_ns <= max(since):
            continue
        if not filters.accepts_labels(image.labels):
            continue
        kept = _referenced(image, filters) if "reference" in filters else image
        if kept is not None and _dangles(kept, filters, dangling, parents):
            yield kept


def _dangles(image: ImageRecord, filters: Filters, wanted: bool, parents: set[Digest]) -> bool:
    """Whether an image passes the dangling filter; without one, all do."""
    if "dangling" not in filters:
        return True
    if wanted:
        return not image.tags and image.id not in parents
    return bool(image.tags or image.digests)


def _referenced(image: ImageRecord, filters: Filters) -> ImageRecord | None:
    """The image with the references that match any pattern; None when none does."""
    patterns = filters.get("reference")

    def matches(reference: Reference) -> bool:
        return any(familiar_match(pattern, reference) for pattern in patterns)

    tags = tuple(tag for tag in image.tags if matches(Reference.parse(tag)))
    digests = tuple(
        (repository, digest)
        for repository, digest in image.digests
        if matches(Reference.parse(repository).pinned(digest))
    )
    return replace(image, tags=tags, digests=digests) if tags or digests else None


def prunable(filters: Filters, now: int) -> Callable[[ImageRecord], bool]:
    """What `image prune` may take. Raises InvalidFilter, InvalidTime."""
    filters.check(PRUNED)
    until = filters.until(now)

    def accepts(image: ImageRecord) -> bool:
        if until is not None and image.created_ns > until:
            return False
        return filters.accepts_labels(image.labels)

    return accepts
