"""The engine's networks: those of this store, on this host."""

from __future__ import annotations

import hashlib
import os

from millefeuille.networks.networks import Networks
from millefeuille.settings import Settings


def networks(settings: Settings) -> Networks:
    """The networks of the settings' store, whether it exists or not; nothing is written."""
    return Networks(os.path.join(settings.root, "networks"), _run(settings))


def _run(settings: Settings) -> str:
    identity = hashlib.sha256(os.fsencode(settings.root)).hexdigest()[:12]
    return os.path.join(settings.run, identity)
