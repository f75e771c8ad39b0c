"""The engine's answer to who uses an image."""

from __future__ import annotations

from millefeuille.engine.place import place
from millefeuille.images.users import Containers, Users
from millefeuille.settings import Settings


def users(settings: Settings) -> Users:
    """The containers of this store."""
    return Containers(place(settings))
