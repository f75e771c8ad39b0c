"""Content: an image's documents, read from the store."""

from __future__ import annotations

from millefeuille.errors import NotFound
from millefeuille.images.references import other_platforms
from millefeuille.oci import config as image_config
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform, rank
from millefeuille.oci.reference import Reference
from millefeuille.store import names
from millefeuille.store.blobs import Blobs
from millefeuille.store.images import ImageRecord, images
from millefeuille.store.transaction import Transaction


class PlatformMissing(NotFound):
    """The name holds no image for the platform; the message is Docker's."""


def config_of(blobs: Blobs, image: ImageRecord) -> ImageConfig:
    """An image's config. Raises BlobNotFound, CorruptBlob."""
    return image_config.parse(blobs.read(image.id), f"image {image.id.short}: config")


def find_platform(tx: Transaction, text: str, platform: Platform | None) -> ImageRecord:
    """The image that `text` means, for `platform` when one is asked for.

    Raises NoSuchImage, InvalidReference, PlatformMissing.
    """
    image = names.find(tx, text)
    if platform is None:
        return image
    best: tuple[int, Digest] | None = None
    for held, identifier in held_platforms(tx, text, image):
        place = rank(held, platform)
        if place is not None and (best is None or place < best[0]):
            best = (place, identifier)
    if best is None:
        raise PlatformMissing(
            f"image with reference {text} was found but its platform ({image.platform}) "
            f"does not match the specified platform ({platform})"
        )
    return next(images(tx, "id = ?", (str(best[1]),)))


def held_platforms(tx: Transaction, text: str, image: ImageRecord) -> list[tuple[Platform, Digest]]:
    """The platforms that a name holds images for, the chosen `image` first; an ID holds its own alone."""
    found = [(Platform.parse(image.platform), image.id)]
    if not names.is_id(text, image.id):
        reference = Reference.parse(text).tagged()
        for held in other_platforms(tx, reference, image.id):
            other = next(images(tx, "id = ?", (str(held),)))
            found.append((Platform.parse(other.platform), held))
    return found
