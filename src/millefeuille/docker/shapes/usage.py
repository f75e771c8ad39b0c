"""`system df`: what takes space on the disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from millefeuille.docker.shapes.container_summary import Listed
from millefeuille.docker.shapes.summary import NONE, ImageSummary, image_row
from millefeuille.docker.units import human_size
from millefeuille.oci.reference import Reference
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One line: how many there are, how many are in use, and bytes; `percent` when Docker shows it."""

    type: str
    total: int = 0
    active: int = 0
    size: int = 0
    reclaimable: int = 0
    percent: bool = True


CONTAINERS, VOLUMES, BUILD_CACHE = "Containers", "Local Volumes", "Build Cache"


def image_usage(images: Iterable[ImageSummary], layers_size: int) -> Usage:
    """The line of images; each has `containers` and `shared` filled in. `layers_size` counts a layer once."""
    held = tuple(images)
    known = (image for image in held if image.containers and -1 not in (image.size, image.shared))
    used = sum(image.size - image.shared for image in known)
    return Usage(
        type="Images",
        total=len(held),
        active=sum(image.containers > 0 for image in held),
        size=layers_size,
        reclaimable=layers_size - used,
    )


def container_usage(containers: Iterable[Listed]) -> Usage:
    """The line of containers, with what each has written."""
    held = tuple(containers)
    return Usage(
        type=CONTAINERS,
        total=len(held),
        active=sum(one.state.running for one in held),
        size=sum(one.size or 0 for one in held),
        reclaimable=sum(one.size or 0 for one in held if not one.state.running),
    )


def volume_usage(sizes: Iterable[tuple[int, int]]) -> Usage:
    """The line of volumes, from how many containers have each and its bytes."""
    held = tuple(sizes)
    return Usage(
        type=VOLUMES,
        total=len(held),
        active=sum(links > 0 for links, _ in held),
        size=sum(size for _, size in held),
        reclaimable=sum(size for links, size in held if not links),
    )


def usage_row(usage: Usage) -> dict[str, str]:
    """The row of `columns.USAGE`."""
    reclaimable = human_size(usage.reclaimable)
    if usage.percent and usage.size > 0:
        reclaimable += f" ({usage.reclaimable * 100 // usage.size}%)"
    return {
        "Type": usage.type,
        "TotalCount": str(usage.total),
        "Active": str(usage.active),
        "Size": human_size(usage.size),
        "Reclaimable": reclaimable,
    }


def detailed_image_row(image: ImageSummary, now: float, *, truncate: bool = True) -> Mapping[str, str]:
    """The row of an image in `system df -v`: by its first tag alone."""
    repository, tag = NONE, NONE
    if image.tags:
        reference = Reference.parse(image.tags[0])
        repository, tag = reference.familiar_name, reference.tag or NONE
    return image_row(image, repository, tag, "", now, truncate=truncate)
