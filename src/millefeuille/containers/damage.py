"""Damage: containers whose record or state cannot be read, found, and set aside."""

from __future__ import annotations

import os
from collections.abc import Mapping

from millefeuille import files
from millefeuille.containers import records
from millefeuille.containers.place import Place
from millefeuille.snapshots.roots import Roots
from millefeuille.store import removal
from millefeuille.store.rebuild import set_aside
from millefeuille.store.store import Store


def damaged(store: Store, place: Place) -> Mapping[str, str]:
    """What is wrong with what is kept of containers, by their IDs."""
    found = {}
    for container in records.every(store, place):
        if wrong := container.damage or records.state_damage(place, container.id):
            found[container.id] = wrong
    return found


def mend(store: Store, place: Place, id: str) -> str:
    """Move to lost+found what is kept of a container whose record cannot be read, with all that it wrote, and
    forget it; of one whose state cannot be read that only. A sentence on what was done. One that runs stays
    as it is. Raises OSError.
    """
    directory = place.directory(id)
    if os.path.lexists(directory) and not os.path.isdir(directory):
        set_aside(store, directory)
    files.make_directory(directory)
    lock = files.create(place.lock(id), exclusive=False)
    try:
        if not files.try_lock(lock):
            return f"container {id[:12]} is in use, and stays as it is until it has ended"
        if id not in damaged(store, place):
            return f"container {id[:12]} is gone, or as it should be"
        if records.state_damage(place, id):
            moved = set_aside(store, place.state(id))
            if id not in damaged(store, place):
                return f"moved the state of container {id[:12]} to {moved}"
        return _lost(store, place, id)
    finally:
        files.release(lock)


def _lost(store: Store, place: Place, id: str) -> str:
    root = Roots(store.disk.snapshots).path(id)
    if os.path.isdir(root):
        # Beside its record: a crash from here on leaves both to the next repair.
        files.rename(root, f"{place.directory(id)}/root")
    moved = set_aside(store, place.directory(id))
    with store.writing(emergency=True) as tx:
        removal.remove_container(tx, id)
    return f"lost: container {id[:12]}: its record is damaged, moved to {moved} with what it wrote"
