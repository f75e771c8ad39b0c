"""The engine's answer to who uses an image."""

from __future__ import annotations

from millefeuille.engine.mounts import mounts
from millefeuille.engine.place import place
from millefeuille.images.users import Containers, Together, Users
from millefeuille.settings import Settings


def users(settings: Settings) -> Users:
    """The containers of this store, and where its images are mounted."""
    return Together(Containers(place(settings)), mounts(settings))
