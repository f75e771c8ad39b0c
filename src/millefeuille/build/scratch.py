"""Scratch: directories that live as long as the build that made them; what killed ones left is removed.

Each holds a lock as long as its process lives: the kernel drops it, however that ends.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from millefeuille import files

_LOCK = "lock"


@contextlib.contextmanager
def scratch(parent: str) -> Iterator[str]:
    """A new, empty directory below `parent`, which is made; removed at the end. Raises OSError."""
    files.make_directories(parent)
    sweep(parent)
    home = f"{parent}/{os.urandom(8).hex()}"
    files.make_directory(home)
    descriptor = files.create(f"{home}/{_LOCK}")
    try:
        files.try_lock(descriptor)
        directory = f"{home}/files"
        files.make_directory(directory)
        yield directory
    finally:
        files.remove_tree(home)
        os.close(descriptor)


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
                files.remove_tree(home)
        finally:
            os.close(descriptor)
