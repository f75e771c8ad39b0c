"""The engine's networks: those of this store, on this host."""

from __future__ import annotations

import os

from millefeuille.engine.place import run_directory
from millefeuille.networks.networks import Networks
from millefeuille.settings import Settings


def networks(settings: Settings) -> Networks:
    """The networks of the settings' store, whether it exists or not; nothing is written."""
    return Networks(os.path.join(settings.root, "networks"), run_directory(settings))
