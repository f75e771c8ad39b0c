"""The engine's places: where containers of a store lie, on the disk and in what a boot forgets."""

from __future__ import annotations

import os

from millefeuille.containers.place import Place
from millefeuille.settings import Settings
from millefeuille.sha256 import sha256


def identity(settings: Settings) -> str:
    """What the store is called where it meets others of this host: stores at different roots must not mix."""
    return sha256(os.fsencode(settings.root)).hexdigest()[:12]


def run_directory(settings: Settings) -> str:
    """The store's own directory below the run directory."""
    return os.path.join(settings.run, identity(settings))


def place(settings: Settings) -> Place:
    """The paths of this store's containers."""
    return Place(settings.root, run_directory(settings))
