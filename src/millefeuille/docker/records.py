"""From what the store knows of an image to the values that Docker's shapes take."""

from __future__ import annotations

from millefeuille.docker.shapes.summary import ImageSummary
from millefeuille.oci.reference import familiar
from millefeuille.store.images import ImageRecord


def summary(image: ImageRecord, *, shared: int = -1, containers: int = -1) -> ImageSummary:
    """An image as lists show it; `shared` in bytes, -1 where not computed, as `containers`."""
    return ImageSummary(
        id=str(image.id),
        created=image.created_ns // 1_000_000_000,
        size=image.size,
        tags=tags(image),
        digests=digests(image),
        labels=image.labels,
        parent=str(image.parent) if image.parent else "",
        shared=shared,
        containers=containers,
    )


def tags(image: ImageRecord) -> tuple[str, ...]:
    """The image's tags as Docker prints them."""
    return tuple(familiar(tag) for tag in image.tags)


def digests(image: ImageRecord) -> tuple[str, ...]:
    """The image's repository digests as Docker prints them."""
    return tuple(f"{familiar(repository)}@{digest}" for repository, digest in image.digests)
