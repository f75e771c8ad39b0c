"""Who has which volume: the containers that mount it, whether they run or not."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.containers import records
from millefeuille.containers.place import Place
from millefeuille.store.store import Store


def volume_users(store: Store, place: Place) -> Mapping[str, list[str]]:
    """The IDs of the containers that have each volume, by the volume's name; which ones a container has whose
    record cannot be read nobody knows.
    """
    users: dict[str, list[str]] = {}
    for container in records.every(store, place):
        for name in {mount.name for mount in container.mounts if mount.type == "volume"}:
            users.setdefault(name, []).append(container.id)
    return users


def sure_users(store: Store, place: Place) -> Mapping[str, list[str]]:
    """The same, for whoever removes volumes. Raises DamagedRecord: such a container may have any of them."""
    for container in records.every(store, place):
        if container.damage:
            raise records.damaged(container)
    return volume_users(store, place)
