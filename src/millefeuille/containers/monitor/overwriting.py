"""Overwriting: a small file's new content where the old one lies, for a disk without room for another."""

from __future__ import annotations

import errno
import os

NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT))  # as in millefeuille.files, which is not loaded here


def overwrite(path: str, data: bytes) -> None:
    """Write JSON over the file at `path`, padded with blanks to its length, so that nothing is to be cut off.

    A file of less than a block keeps its block, and needs no other. A power loss may leave a part of it, a
    reader may see one for an instant; either takes it for a file that says nothing. Raises OSError, and
    FileNotFoundError for a file that is not there; then the file is as it was.
    """
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(file).st_size
        if len(data) > size:
            _reserve(file, len(data), size)
        os.pwrite(file, data.ljust(size), 0)
    finally:
        os.close(file)


def _reserve(file: int, wanted: int, size: int) -> None:
    try:
        os.posix_fallocate(file, 0, wanted)
    except OSError:
        os.ftruncate(file, size)
        raise
