"""The engine's volumes: those of this store."""

from __future__ import annotations

import os

from millefeuille.settings import Settings
from millefeuille.volumes.volumes import Volumes


def volumes(settings: Settings) -> Volumes:
    """The volumes of the settings' store, whether it exists or not; nothing is written."""
    return Volumes(os.path.join(settings.root, "volumes"))
