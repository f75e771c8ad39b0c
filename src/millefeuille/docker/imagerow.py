"""One row of `image ls`, in Docker's words."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.docker.age import ago, go_time
from millefeuille.docker.units import human_size
from millefeuille.images.listing import Row

NONE = "<none>"


def image_row(row: Row, now: float, *, truncate: bool = True) -> Mapping[str, str]:
    """Every field that a format may use; `now` in Unix seconds."""
    created = row.image.created_ns / 1e9
    return {
        "Containers": "N/A",
        "CreatedAt": go_time(created),
        "CreatedSince": ago(created, now),
        "Digest": str(row.digest) if row.digest else NONE,
        "ID": row.image.id.short if truncate else str(row.image.id),
        "Repository": row.repository or NONE,
        "SharedSize": "N/A",
        "Size": human_size(row.image.size, 3),
        "Tag": row.tag or NONE,
        "UniqueSize": "N/A",
        "VirtualSize": human_size(row.image.size),
    }
