"""Foreign files: what commands in an ordinary user's containers wrote, and may have given to other users.

Only the user's namespace has those: outside of it, their directories can be neither read nor removed.
"""

from __future__ import annotations

import contextlib
import importlib
import os

from millefeuille.errors import MilleError


def reach(root: str, *directories: str) -> None:
    """Make this process root in the user namespace of an ordinary user, when there is anything in one of
    `directories`, which are of the store at `root`; root stays as it is. The process must have one thread
    only.
    """
    if not is_out_of_reach(*directories):
        return
    # Where there is no namespace, nothing was written by others.
    with contextlib.suppress(MilleError):
        importlib.import_module("millefeuille.runtime.userns").enter(root)


def is_out_of_reach(*directories: str) -> bool:
    """Whether `directories` may hold what this process, an ordinary user's, can neither read nor remove."""
    return os.geteuid() != 0 and any(map(_has_entries, directories))


def _has_entries(directory: str) -> bool:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(directory) as entries:
        return any(entries)
    return False
