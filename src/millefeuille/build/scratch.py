"""Scratch: directories that live as long as the build that made them; what killed ones left is removed.

Each holds a lock as long as its process lives: the kernel drops it, however that ends.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.errors import Unavailable

_LOCK: Final = "lock"
_FILES: Final = "files"
_TRIES: Final = 100


@contextlib.contextmanager
def scratch(parent: str) -> Iterator[str]:
    """A new, empty directory below `parent`, removed at the end. Raises OSError, Unavailable."""
    files.make_directories(parent)
    sweep(parent)
    home, descriptor = _begun(parent)
    try:
        directory = f"{home}/{_FILES}"
        files.make_directory(directory)
        yield directory
    finally:
        _remove(home)
        files.release(descriptor)


def _begun(parent: str) -> tuple[str, int]:
    """A new directory and its lock, which is held."""
    for _ in range(_TRIES):
        home = f"{parent}/{os.urandom(8).hex()}"
        files.make_directory(home)
        with contextlib.suppress(FileNotFoundError):  # somebody swept before it had its lock
            descriptor = files.create(f"{home}/{_LOCK}")
            if files.try_lock(descriptor) and os.path.exists(f"{home}/{_LOCK}"):
                return home, descriptor
            files.release(descriptor)
    raise Unavailable(f"{parent}: no directory could be made, they are removed at once")


def _remove(home: str) -> None:
    # The lock goes last: by it, what a removal that was killed has left is found.
    files.remove_tree(f"{home}/{_FILES}")
    files.remove_tree(home)


def sweep(parent: str) -> None:
    """Remove the directories below `parent` whose process is gone."""
    for name in os.listdir(parent):
        home = f"{parent}/{name}"
        try:
            descriptor = os.open(f"{home}/{_LOCK}", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            # Killed before it had its lock, or about to have it: an empty one is nobody's loss.
            with contextlib.suppress(OSError):
                os.rmdir(home)
            continue
        try:
            if files.try_lock(descriptor):
                _remove(home)
        finally:
            files.release(descriptor)
