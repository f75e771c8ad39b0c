"""The engine's mounted images: where they are recorded and attached."""

from __future__ import annotations

import os

from millefeuille.engine.place import run_directory
from millefeuille.errors import Unsupported
from millefeuille.images.mounts import Mounts
from millefeuille.settings import Settings


class MountUnseen(Unsupported):
    """What this user mounts nobody else sees."""


def refuse_unseen() -> None:
    """Hold that what this process mounts is there when it has ended. An ordinary user mounts in a namespace
    that ends with the command. Raises MountUnseen.
    """
    if os.geteuid() != 0:
        raise MountUnseen(
            "an ordinary user's mount of an image would end with this command",
            advice="`mille image cp` copies files out of an image, `mille run -v` runs a command in it.",
        )


def mounts(settings: Settings) -> Mounts:
    """The images of this store that are mounted."""
    return Mounts(os.path.join(run_directory(settings), "mounts"))
