"""Checked: which metadata images have been held against their hash since the machine started.

A file that is still the one that was read then has not become another: it is told by its inode, and by the
time of the inode's last change, which nobody can set.
"""

from __future__ import annotations

import contextlib
import os

from millefeuille import files


class Checked:
    """The memory of earlier checks, in `directory`; nothing is lost with it but time."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def is_known(self, path: str, hash: str) -> bool:
        """Whether the file at `path` was found to have this hash, and is that file still."""
        try:
            with open(self._record(path), encoding="ascii") as file:
                return file.read() == _told(path, hash)
        except FileNotFoundError:
            return False

    def remember(self, path: str, hash: str) -> None:
        """Say that the file at `path` has this hash."""
        with contextlib.suppress(OSError):
            files.make_directories(self._directory)
            files.replace_file(self._record(path), _told(path, hash).encode(), lasting=False)

    def _record(self, path: str) -> str:
        return f"{self._directory}/{os.path.basename(path)}"


def boot() -> str:
    """What tells this run of the machine from others."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def _told(path: str, hash: str) -> str:
    status = os.stat(path)
    return f"{boot()} {status.st_dev} {status.st_ino} {status.st_ctime_ns} {status.st_size} {hash}"
