"""Bundles: one directory per container that is being run, locked by the command that runs it.

    <directory>/lock        held while bundles are made or looked through
               /<id>/lock   held as long as the command lives

The kernel drops a lock with its process, however that ends: a bundle whose lock is free has been abandoned.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from millefeuille import files

_WHAT = "the directory of running containers"


@contextlib.contextmanager
def claimed(directory: str, id: str) -> Iterator[str]:
    """A new bundle, this process's own inside the block. Removing it is up to the caller.

    `directory` is made when missing, with its parents: it lies where nothing outlives a boot.
    """
    _make(directory)
    path = f"{directory}/{id}"
    with files.locked(f"{directory}/lock", _WHAT):
        files.make_directory(path)
        descriptor = files.create(f"{path}/lock")
        files.try_lock(descriptor)
    try:
        yield path
    finally:
        files.release(descriptor)


def abandoned(directory: str) -> list[str]:
    """The IDs of bundles whose command is gone."""
    if not os.path.isdir(directory):
        return []
    with files.locked(f"{directory}/lock", _WHAT):
        names = sorted(name for name in os.listdir(directory) if name != "lock")
        return [name for name in names if not _in_use(f"{directory}/{name}/lock")]


def _make(directory: str) -> None:
    if not os.path.isdir(directory):
        _make(os.path.dirname(directory))
        files.make_directory(directory)


def _in_use(lock: str) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        return not files.try_lock(descriptor)
    finally:
        files.release(descriptor)
