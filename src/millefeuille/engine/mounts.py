"""The engine's mounted images: where they are recorded and attached."""

from __future__ import annotations

import os

from millefeuille.engine.place import run_directory
from millefeuille.images.mounts import Mounts
from millefeuille.settings import Settings


def mounts(settings: Settings) -> Mounts:
    """The images of this store that are mounted."""
    return Mounts(os.path.join(run_directory(settings), "mounts"))
