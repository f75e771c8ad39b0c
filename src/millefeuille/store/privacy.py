"""Privacy: a store's directory is its owner's alone. Nobody else looks into it, or has put anything there.

A directory that the store makes is so from the start; one that was there before may be open to everybody.
"""

from __future__ import annotations

import os
import stat

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.errors import Denied

_PRIVATE: Final = 0o700
_OTHERS: Final = 0o077
_WRITING: Final = 0o022
_ADVICE: Final = "Choose a directory of your own with --root or MILLE_ROOT."
# A new file system has this one; it is root's.
_FOUND: Final = "lost+found"


class NotOurs(Denied):
    """The directory that a store is to be made in, or something in it, belongs to another user."""


def close(root: str) -> None:
    """Make an existing directory, in which a store is about to be made, its owner's alone.

    Raises NotOurs, OSError; the directory then stays as it is.
    """
    descriptor = _opened(root)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid():
            raise NotOurs(f"{root}: belongs to another user", advice=_ADVICE)
        _check_entries(descriptor, root, status)
        if status.st_mode & _OTHERS:
            files.change_mode(descriptor, _PRIVATE)
            # Once more: until now, others could put something there. Who opened a directory of theirs in time
            # goes on to see what comes into it.
            _check_entries(descriptor, root, status)
    finally:
        os.close(descriptor)


def openness(root: str) -> str:
    """What is wrong with the mode of a store's directory; "" where nobody but its owner gets in.

    Raises OSError.
    """
    mode = stat.S_IMODE(os.stat(root).st_mode)
    return f"its mode is {mode:04o} instead of 0700: other users get in" if mode & _OTHERS else ""


def mend(root: str) -> None:
    """Make a store's directory its owner's alone. Raises OSError."""
    descriptor = _opened(root)
    try:
        files.change_mode(descriptor, _PRIVATE)
    finally:
        os.close(descriptor)


def _opened(root: str) -> int:
    return os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _check_entries(descriptor: int, root: str, status: os.stat_result) -> None:
    """Hold that nobody else has put anything there. Raises NotOurs."""
    for name in os.listdir(descriptor):
        try:
            owner = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_uid
        except FileNotFoundError:  # another process of ours is at work, too
            continue
        is_from_the_start = name == _FOUND and not status.st_mode & _WRITING
        if owner != status.st_uid and not is_from_the_start:
            raise NotOurs(f"{root}/{name}: belongs to another user", advice=_ADVICE)
