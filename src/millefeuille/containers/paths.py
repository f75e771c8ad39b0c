"""Paths into a tree that somebody else may change at any moment: a container's root above all.

Everything is anchored at a descriptor of the tree's root. The kernel looks paths up (openat2) and lets none
lead out of it: not by `..`, not by a symlink, not by one that takes a directory's place just then. What is
found is looked at before it is opened, and opened through its own descriptor, never by its path again.

Source: openat2(2); CVE-2018-15664, CVE-2019-10152, CVE-2023-0778, CVE-2026-41568 for what else happens.
"""

from __future__ import annotations

import errno
import os
import stat

from millefeuille import files, kernel
from millefeuille.annotations import Final
from millefeuille.layers.following import asserts_directory as asserts_directory
from millefeuille.layers.following import cleaned, follow

_IN_ROOT: Final = kernel.RESOLVE_IN_ROOT | kernel.RESOLVE_NO_MAGICLINKS
_NO_LINKS: Final = kernel.RESOLVE_BENEATH | kernel.RESOLVE_NO_SYMLINKS | kernel.RESOLVE_NO_MAGICLINKS
_NOT_THERE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)


class Root:
    """A tree by a descriptor of its root directory, which stays the caller's.

    Symlinks are followed inside of the tree, absolute ones from its root. Without `links` a path that leads
    through one is an error: for directories of the host, where its owner's links are not ours to follow.
    """

    __slots__ = ("_resolve", "descriptor")

    def __init__(self, descriptor: int, *, links: bool = True) -> None:
        self.descriptor = descriptor
        self._resolve = _IN_ROOT if links else _NO_LINKS

    def place(self, path: bytes, *, leaf: bool = True, directory: bool = False) -> int:
        """A descriptor that refers to what is at `path` without opening it (O_PATH); the caller's to close.

        A link that `path` ends with is followed only for `leaf`; with `directory` anything but one is an
        error. Raises OSError.
        """
        flags = os.O_PATH | (0 if leaf else os.O_NOFOLLOW) | (os.O_DIRECTORY if directory else 0)
        return kernel.openat2(self.descriptor, path or b".", flags, resolve=self._resolve)

    def status(self, path: bytes, *, leaf: bool = True) -> os.stat_result:
        """What is at `path`. Raises OSError."""
        descriptor = self.place(path, leaf=leaf)
        try:
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def canonical(self, path: bytes, *, leaf: bool = True) -> bytes:
        """The path without links that `path` leads to now, "" for the root; it need not be there.

        For words, and to be looked up again: nobody holds the tree still. Raises TooManyLinks.
        """
        return follow(path, self._link, leaf=leaf)

    def make_directories(
        self, path: bytes, *, mode: int = 0o755, owner: tuple[int, int] | None = None
    ) -> int:
        """A descriptor (O_PATH) of the directory at `path`, made with its parents where they are missing.

        `mode` and `owner` are those of what is made. A link to nowhere on the way has its target made, as
        Docker does for WORKDIR. Raises OSError, TooManyLinks.
        """
        done = b""
        descriptor = os.dup(self.descriptor)
        try:
            for part in filter(None, self.canonical(path).split(b"/")):
                done = done + b"/" + part if done else part
                below = self._made(descriptor, done, part, mode, owner)
                os.close(descriptor)
                descriptor = below
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _made(self, parent: int, path: bytes, name: bytes, mode: int, owner: tuple[int, int] | None) -> int:
        """The directory `path`, which is made as `name` in the open directory `parent` when it is missing."""
        try:
            return self.place(path, directory=True)
        except FileNotFoundError:
            pass
        files.act("mkdir", os.fsdecode(path))
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            return self.place(path, directory=True)
        made = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            if owner is not None:
                files.change_owner(made, *owner)
            files.change_mode(made, mode)
        except BaseException:
            os.close(made)
            raise
        return made

    def _link(self, path: bytes) -> bytes | None:
        if self._resolve == _NO_LINKS:
            return None
        try:
            descriptor = self.place(path, leaf=False)
        except OSError as error:
            if error.errno in _NOT_THERE:
                return None
            raise
        try:
            return os.readlink(b"", dir_fd=descriptor)
        except OSError:
            return None  # no link: the kernel says EINVAL, or ENOENT for the empty path
        finally:
            os.close(descriptor)


def open_data(place: int) -> int:
    """Open the regular file that an O_PATH descriptor refers to, for reading; the caller's to close.

    Raises OSError; EINVAL for all that is no regular file, which is not even opened: a FIFO would wait for
    a writer, and a device may do anything.
    """
    if not stat.S_ISREG(os.fstat(place).st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    return os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def is_missing(error: OSError) -> bool:
    """Whether a lookup failed because nothing is there."""
    return error.errno in _NOT_THERE


def parts(path: bytes) -> tuple[bytes, bytes]:
    """The directory and the name of a path below the root; both "" for the root itself."""
    directory, _, name = cleaned(path).rpartition(b"/")
    return directory, name
