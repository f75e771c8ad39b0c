"""Stubs: what had to be made in a root as places for mounts, taken back when the command has ended.

An image must not show where a secret was mounted, nor when: a directory that the command itself did not
change has its old time again.

Everything is done below descriptors of directories that were open before the command ran, by names without
a slash, and without following a link: what the command left there leads nowhere (CVE-2024-23652).
"""

from __future__ import annotations

import contextlib
import os
import stat

from millefeuille import files
from millefeuille.values import dataclass


@dataclass(slots=True)
class _Parent:
    """A directory in which something was made; its times before, and when all had been made."""

    descriptor: int
    before: tuple[int, int]
    after: int = 0


class Stubs:
    """The stubs of one root. `witness` is told before each is made (see `inroot`)."""

    def __init__(self) -> None:
        self._parents: dict[tuple[int, int], _Parent] = {}
        self._made: list[tuple[_Parent, str]] = []

    def witness(self, parent: int, name: str) -> None:
        """Note that `name` is about to be made in the directory `parent`, a descriptor."""
        status = os.fstat(parent)
        key = (status.st_dev, status.st_ino)
        if key not in self._parents:
            self._parents[key] = _Parent(os.dup(parent), (status.st_atime_ns, status.st_mtime_ns))
        self._made.append((self._parents[key], name))

    def settle(self) -> None:
        """Note that all have been made: later changes of these directories are the command's."""
        for parent in self._parents.values():
            parent.after = os.fstat(parent.descriptor).st_mtime_ns

    def clear(self) -> None:
        """Remove those that are still empty. Raises OSError."""
        times = {}
        for parent in self._parents.values():
            status = os.fstat(parent.descriptor)
            unchanged = status.st_mtime_ns == parent.after
            times[parent.descriptor] = (
                parent.before if unchanged else (status.st_atime_ns, status.st_mtime_ns)
            )  # fmt: skip
        for parent, name in reversed(self._made):
            with contextlib.suppress(FileNotFoundError):
                _remove_empty(parent.descriptor, name)
        for descriptor, both in times.items():
            files.act("utime", descriptor)
            with contextlib.suppress(FileNotFoundError):  # one of those that were removed
                os.utime(".", ns=both, dir_fd=descriptor)

    def close(self) -> None:
        """Let go of the directories; afterwards nothing else may be called."""
        for parent in self._parents.values():
            os.close(parent.descriptor)


def _remove_empty(directory: int, name: str) -> None:
    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        files.act("rmdir", name)
        with contextlib.suppress(OSError):  # it is not empty, and so not ours alone
            os.rmdir(name, dir_fd=directory)
    elif stat.S_ISREG(status.st_mode) and not status.st_size:
        files.act("unlink", name)
        os.unlink(name, dir_fd=directory)
