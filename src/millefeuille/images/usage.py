"""Usage: what the images of a store take, each layer counted once."""

from __future__ import annotations

from millefeuille.images.listing import visible
from millefeuille.images.users import Users
from millefeuille.store.images import ImageRecord, layers_of
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageUsage:
    """One image. `shared` bytes lie in layers that another image has too; `containers` use it."""

    image: ImageRecord
    shared: int
    containers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreUsage:
    """All images, newest first; `layers_size` is the bytes of regular files in all layers, each once."""

    images: tuple[ImageUsage, ...]
    layers_size: int


def usage(tx: Transaction, users: Users) -> StoreUsage:
    """What Docker's `system df` says of images."""
    found = visible(tx)
    stacks = {image.id: layers_of(tx, image.id) for image in found}
    holders: dict[str, int] = {}
    sizes: dict[str, int] = {}
    for stack in stacks.values():
        for key in {record.diff_id.hex for record in stack}:
            holders[key] = holders.get(key, 0) + 1
        sizes |= {record.diff_id.hex: record.content_size for record in stack}
    images = tuple(
        ImageUsage(
            image=image,
            shared=sum(record.content_size for record in stacks[image.id] if holders[record.diff_id.hex] > 1),
            containers=sum(not user.mounted for user in users.users(tx, image.id)),
        )
        for image in found
    )
    return StoreUsage(images=images, layers_size=sum(sizes.values()))
