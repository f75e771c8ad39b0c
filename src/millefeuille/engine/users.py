"""The engine's answer to who uses an image."""

from __future__ import annotations

from millefeuille.images.users import Nobody, Users
from millefeuille.settings import Settings


def users(settings: Settings) -> Users:
    """The containers of this store; there are no records of containers yet, so nobody."""
    return Nobody()
