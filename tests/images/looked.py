"""Images of raw tars, for tests that look into them."""

from __future__ import annotations

from tests.store.memory import Memory, brought, compressed

from millefeuille.images.content import find_platform
from millefeuille.images.files import ImageFiles
from millefeuille.store.images import layers_of
from millefeuille.store.store import Store
from millefeuille.testing.rawtars import archive


def bring(store: Store, name: str, *layers: bytes) -> None:
    """Have an image `name` of these layers, each the bytes of its entries, in the store."""
    memory = Memory()
    memory.add("1", [compressed(archive(entries), "gzip") for entries in layers])
    brought(store, memory, f"{name}:1")


def files_of(store: Store, name: str) -> ImageFiles:
    """The files of the image `name`; the caller closes them."""
    with store.reading() as tx:
        image = find_platform(tx, f"{name}:1", None)
        return ImageFiles(store.disk, layers_of(tx, image.id), name)
