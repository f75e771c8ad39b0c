"""Lineage: an image and the parents it was made from, as far as they are here."""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.store.images import ImageRecord, images
from millefeuille.store.transaction import Transaction


def lineage(tx: Transaction, image: ImageRecord) -> Iterator[ImageRecord]:
    """The image itself, then its parent, and so on; a parent that refers back ends it."""
    seen = set()
    current: ImageRecord | None = image
    while current is not None and current.id not in seen:
        seen.add(current.id)
        yield current
        parent = str(current.parent) if current.parent else ""
        current = next(images(tx, "id = ?", (parent,)), None)
