"""The engine's map of the store, and what a prune of it would free."""

from __future__ import annotations

from millefeuille.analysis.layer import Layer
from millefeuille.analysis.storemap import StoreMap, store_map
from millefeuille.images.listing import rows, visible
from millefeuille.images.prune import prune
from millefeuille.images.users import Users
from millefeuille.oci.digest import Digest
from millefeuille.store.images import layers_of
from millefeuille.store.layers import open_index
from millefeuille.store.store import Store
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """The map; the bytes of layers that go with dangling images, and with all that no container uses."""

    map: StoreMap
    images: int
    dangling: int
    unused: int


def mapped(store: Store, users: Users) -> Mapped:
    """Read the indexes of all layers. Raises DamagedLayer, and what a rehearsed prune raises."""
    stacks: dict[str, tuple[Digest, ...]] = {}
    layers: dict[Digest, Layer] = {}
    with store.reading() as tx:
        names = {row.image.id: f"{row.repository}:{row.tag}" for row in rows(visible(tx)) if row.tag}
        for image in visible(tx):
            records = layers_of(tx, image.id)
            stacks[names.get(image.id, image.id.short)] = tuple(record.diff_id for record in records)
            for record in records:
                if record.diff_id not in layers:
                    layers[record.diff_id] = Layer(open_index(store.disk, record))
    freed = [
        prune(store, users, lambda image: True, unused=unused, dry_run=True).reclaimed
        for unused in (False, True)
    ]
    return Mapped(map=store_map(stacks, layers), images=len(stacks), dangling=freed[0], unused=freed[1])
