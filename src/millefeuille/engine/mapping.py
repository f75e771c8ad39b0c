"""The engine's map of the store, and what a prune of it would free."""

from __future__ import annotations

import contextlib
from collections import Counter

from millefeuille.analysis.layer import Layer
from millefeuille.analysis.storemap import StoreMap, store_map
from millefeuille.annotations import Final
from millefeuille.images.listing import rows, visible
from millefeuille.images.prune import prune
from millefeuille.images.users import Users
from millefeuille.oci.digest import Digest
from millefeuille.store.images import LayerRecord, layers_of
from millefeuille.store.layers import open_index
from millefeuille.store.store import Store
from millefeuille.values import dataclass

_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """The map; the bytes of layers that go with dangling images, and with all that no container uses."""

    map: StoreMap
    images: int
    dangling: int
    unused: int


def mapped(store: Store, users: Users) -> Mapped:
    """Read the indexes of all layers, one at a time.

    Raises DamagedLayer, FileNotFoundError for a layer that is lost, and what a rehearsed prune raises.
    """
    for _ in range(_ATTEMPTS - 1):
        # An image may go meanwhile, and its layers: then it is not in the next map.
        with contextlib.suppress(FileNotFoundError):
            return _mapped(store, users)
    return _mapped(store, users)


def _mapped(store: Store, users: Users) -> Mapped:
    stacks: dict[str, tuple[Digest, ...]] = {}
    records: dict[Digest, LayerRecord] = {}
    with store.reading() as tx:
        shown = list(visible(tx))
        names = {row.image.id: f"{row.repository}:{row.tag}" for row in rows(shown) if row.tag}
        taken = Counter(names.values())
        for image in shown:
            held = layers_of(tx, image.id)
            name = names.get(image.id, image.id.short)
            if taken[name] > 1:  # it has an image for each platform
                name = f"{name} ({image.platform})"
            stacks[name if name not in stacks else str(image.id)] = tuple(record.diff_id for record in held)
            records |= {record.diff_id: record for record in held}
    seen = store_map(stacks, lambda digest: Layer(open_index(store.disk, records[digest])))
    freed = [
        prune(store, users, lambda image: True, unused=unused, dry_run=True).reclaimed
        for unused in (False, True)
    ]
    return Mapped(map=seen, images=len(stacks), dangling=freed[0], unused=freed[1])
