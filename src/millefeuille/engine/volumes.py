"""The engine's volumes: those of this store, and who has them."""

from __future__ import annotations

import os
from collections.abc import Mapping

from millefeuille.containers.volumeusers import sure_users, volume_users
from millefeuille.engine.foreign import reach
from millefeuille.engine.place import place
from millefeuille.engine.store import open_store
from millefeuille.settings import Settings
from millefeuille.volumes.volumes import Volumes


def volumes(settings: Settings) -> Volumes:
    """The volumes of the settings' store, whether it exists or not; nothing is written."""
    return Volumes(os.path.join(settings.root, "volumes"))


def reached(settings: Settings) -> Volumes:
    """The same, for a command that measures or removes what is in them.

    For an ordinary user this process becomes root in its namespace when there are any; it must have one
    thread only.
    """
    found = volumes(settings)
    reach(settings.root, found.root)
    return found


def users(settings: Settings) -> Mapping[str, list[str]]:
    """The IDs of the containers that have each volume, by its name, as far as their records can be read."""
    return volume_users(open_store(settings), place(settings))


def users_at_removal(settings: Settings) -> Mapping[str, list[str]]:
    """The same. Raises DamagedRecord when a container's record cannot be read, which may have any volume."""
    return sure_users(open_store(settings), place(settings))
