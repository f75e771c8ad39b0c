"""The engine's volumes: those of this store, and who has them."""

from __future__ import annotations

import os
from collections.abc import Mapping

from millefeuille.containers.volumeusers import volume_users
from millefeuille.engine.place import place
from millefeuille.engine.store import open_store
from millefeuille.settings import Settings
from millefeuille.volumes.volumes import Volumes


def volumes(settings: Settings) -> Volumes:
    """The volumes of the settings' store, whether it exists or not; nothing is written."""
    return Volumes(os.path.join(settings.root, "volumes"))


def users(settings: Settings) -> Mapping[str, list[str]]:
    """The IDs of the containers that have each volume, by its name. Raises DamagedRecord."""
    return volume_users(open_store(settings), place(settings))
