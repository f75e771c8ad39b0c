"""`mille image ls --layers`: what images share, and what each has for itself."""

from __future__ import annotations

from millefeuille.docker.jsontext import marshal
from millefeuille.docker.shapes.summary import NONE
from millefeuille.docker.table import table
from millefeuille.docker.units import human_size
from millefeuille.images.sharing import Sharing, sharing
from millefeuille.store.store import Store

_IMAGES = ("REPOSITORY", "TAG", "IMAGE ID", "LAYERS", "SIZE", "SHARED", "UNIQUE")
_LAYERS = ("LAYER", "SIZE", "FILES", "USED BY")


def find(store: Store | None) -> Sharing:
    """Who shares what with whom; nothing where there is no store."""
    if store is None:
        return Sharing(images=(), layers=())
    with store.reading() as tx:
        return sharing(tx)


def as_tables(found: Sharing) -> str:
    """Two tables: the images with their shared and unique bytes, the layers with those who use them."""
    images = [
        (
            image.row.repository or NONE, image.row.tag or NONE, image.row.image.id.short, str(image.layers),
            human_size(image.row.image.size, 3), human_size(image.shared, 3), human_size(image.unique, 3),
        )
        for image in found.images
    ]  # fmt: skip
    layers = [
        (
            shared.layer.diff_id.short, human_size(shared.layer.content_size, 3), str(shared.layer.entries),
            ", ".join(shared.users) or NONE,
        )
        for shared in found.layers
    ]  # fmt: skip
    return f"{table(_IMAGES, images)}\n{table(_LAYERS, layers)}"


def as_json(found: Sharing) -> str:
    """One object with both lists; sizes in bytes."""
    images = [
        {
            "Repository": image.row.repository or NONE, "Tag": image.row.tag or NONE,
            "ID": str(image.row.image.id), "Layers": image.layers, "Size": image.row.image.size,
            "SharedSize": image.shared, "UniqueSize": image.unique,
        }
        for image in found.images
    ]  # fmt: skip
    layers = [
        {
            "DiffID": str(shared.layer.diff_id), "Size": shared.layer.content_size,
            "Entries": shared.layer.entries, "UsedBy": list(shared.users),
        }
        for shared in found.layers
    ]  # fmt: skip
    return f"{marshal({'Images': images, 'Layers': layers})}\n"
