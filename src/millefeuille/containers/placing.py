"""Placing: files put into a tree that somebody else may change meanwhile, or that must not mislead us.

Rules of `docker cp`: a directory over a directory takes its place's metadata over, anything else replaces
what is not a directory; one never takes the other's place.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType

from millefeuille import files, kernel
from millefeuille.annotations import Final
from millefeuille.containers.paths import Root
from millefeuille.errors import Conflict, Failed, MilleError
from millefeuille.layers.carried import Run, no_content
from millefeuille.layers.entry import BLOCK, CHARACTER, DIRECTORY, FIFO, FILE, HARDLINK, SYMLINK
from millefeuille.layers.tarheader import Metadata

# Who will own a file, given what is known of it: user and group; None for whoever makes it.
Owner = Callable[[Metadata], tuple[int, int] | None]

# What Docker's engine puts before the reason why a file was not placed in a container.
IN_CONTAINER: Final = "Error processing tar file(exit status 1): "

_NODES: Final = {CHARACTER: stat.S_IFCHR, BLOCK: stat.S_IFBLK, FIFO: stat.S_IFIFO}
# The list of access that a directory gives to what is made in it: not to what already has its own.
_FOR_NEW: Final = b"system.posix_acl_default"
_NO_DIRECTORY: Final = (_FOR_NEW, errno.EACCES)
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class OverwriteRefused(Conflict):
    """A directory would take the place of something else, or something else that of a directory."""


class CopyFailed(Failed):
    """A file could not be copied."""


class PlaceTaken(CopyFailed):
    """A file would take the place of what something is mounted on."""


def kept(entry: Metadata) -> tuple[int, int] | None:
    """The owner that the file had."""
    return entry.uid, entry.gid


def mine(entry: Metadata) -> tuple[int, int] | None:
    """Whoever copies."""
    return None


class Placing:
    """Puts files below the directory `base` of a tree, called `shown` in errors. Close it after the last one.

    Times and modes of directories, and what they hand on, come at the end, when nothing is made in them any
    more. With `replace` a directory gives way to something else, and that to a directory.
    """

    def __init__(self, root: Root, base: bytes, *, owner: Owner, shown: str, replace: bool = False) -> None:
        self._root = root
        self._base = base
        self._owner = owner
        self._shown = shown.rstrip("/")
        self._replace = replace
        self._parent: tuple[bytes, int] | None = None
        self._modes: list[Metadata] = []

    def __enter__(self) -> Placing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
        finally:
            if self._parent is not None:
                os.close(self._parent[1])

    def put(self, entry: Metadata, runs: Callable[[], Iterable[Run]] = no_content) -> None:
        """Put one file in its place; the path "" is the base itself, which stays as it is.

        Raises OverwriteRefused, PlaceTaken, CopyFailed, and what `runs` raises.
        """
        if not entry.path:
            return
        try:
            directory, _, name = entry.path.rpartition(b"/")
            parent = self._opened(directory)
            self._clear(parent, name, entry)
            if entry.kind == DIRECTORY:
                self._put_directory(parent, name, entry)
            elif entry.kind == FILE:
                self._put_file(parent, name, entry, runs)
            else:
                self._put_other(parent, name, entry)
        except OSError as error:
            raise self._failed(entry, error) from error

    def _clear(self, parent: int, name: bytes, entry: Metadata) -> None:
        try:
            there = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return
        is_directory = stat.S_ISDIR(there.st_mode)
        if not self._replace and is_directory != (entry.kind == DIRECTORY):
            old, new = ("directory", "non-directory") if is_directory else ("non-directory", "directory")
            raise OverwriteRefused(
                f'cannot overwrite {old} "{self._name(entry.path)}" with {new} "{self._shown or "/"}"'
            )
        if is_directory and entry.kind == DIRECTORY:
            return
        self._check_free(parent, name, entry)
        if is_directory:
            files.remove_tree(f"/proc/self/fd/{parent}/{os.fsdecode(name)}")
        elif not self._is_itself(entry, there):
            files.act("unlink", self._name(entry.path))
            os.unlink(name, dir_fd=parent)

    def _check_free(self, parent: int, name: bytes, entry: Metadata) -> None:
        """Raise PlaceTaken for a place that something is mounted on. Linux does not: it would detach what is
        mounted there in other namespaces than ours, the container's own.
        """
        flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            os.close(kernel.openat2(parent, name, flags, resolve=kernel.RESOLVE_NO_XDEV))
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            directory, _, _ = self._name(entry.path).rpartition("/")
            place = f"{directory or '/'}/{os.fsdecode(name)}"  # as Docker writes it, `//x` in the root
            raise PlaceTaken(f"unlinkat {place}: device or resource busy") from error

    def _is_itself(self, entry: Metadata, there: os.stat_result) -> bool:
        """Whether a hard link has its place already: then its target must not be unlinked."""
        if entry.kind != HARDLINK:
            return False
        status = self._root.status(self._below(entry.link), leaf=False)
        return (status.st_dev, status.st_ino) == (there.st_dev, there.st_ino)

    def _put_directory(self, parent: int, name: bytes, entry: Metadata) -> None:
        files.act("mkdir", self._name(entry.path))
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            pass
        descriptor = os.open(name, _DIRECTORY, dir_fd=parent)
        try:
            # Its owner must be able to write into it until all of it is there.
            now = {name: value for name, value in entry.xattrs.items() if name != _FOR_NEW}
            self._dress(descriptor, entry._replace(mode=entry.mode | 0o700, xattrs=now))
        finally:
            os.close(descriptor)
        self._modes.append(entry)

    def _put_file(self, parent: int, name: bytes, entry: Metadata, runs: Callable[[], Iterable[Run]]) -> None:
        files.act("create", self._name(entry.path))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=parent)
        try:
            for offset, data in runs():
                os.lseek(descriptor, offset, os.SEEK_SET)
                files.write(descriptor, data)
            files.truncate(descriptor, entry.size)
            self._dress(descriptor, entry)
        except BaseException:
            os.unlink(name, dir_fd=parent)
            raise
        finally:
            os.close(descriptor)

    def _put_other(self, parent: int, name: bytes, entry: Metadata) -> None:
        """A link, a device or a FIFO: made under its name, never opened."""
        if entry.kind == HARDLINK:
            self._put_link(parent, name, entry)
            return
        owner = self._owner(entry)
        files.act("create", self._name(entry.path))
        if entry.kind == SYMLINK:
            os.symlink(entry.link, name, dir_fd=parent)
        else:
            os.mknod(name, 0o600 | _NODES[entry.kind], os.makedev(*entry.device), dir_fd=parent)
        if owner is not None:
            os.chown(name, *owner, dir_fd=parent, follow_symlinks=False)
        if entry.kind != SYMLINK:
            self._set_mode(parent, name, entry)
        os.utime(name, ns=_times(entry), dir_fd=parent, follow_symlinks=False)

    def _set_mode(self, parent: int, name: bytes, entry: Metadata) -> None:
        """Linux changes no mode by a name without following it: the inode is held, and looked at, first."""
        place = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            if stat.S_IFMT(os.fstat(place).st_mode) != _NODES[entry.kind]:
                raise OSError(errno.EBUSY, "somebody else has put something here")
            _set_attributes(f"/proc/self/fd/{place}", entry.xattrs)
            os.chmod(f"/proc/self/fd/{place}", entry.mode)
        finally:
            os.close(place)

    def _put_link(self, parent: int, name: bytes, entry: Metadata) -> None:
        place = self._root.place(self._below(entry.link), leaf=False)
        try:
            files.act("link", self._name(entry.path))
            os.link(f"/proc/self/fd/{place}", name, dst_dir_fd=parent, follow_symlinks=True)
        except FileExistsError:
            pass  # it is this very file, see `_clear`
        finally:
            os.close(place)

    def _dress(self, descriptor: int, entry: Metadata) -> None:
        """Owner, attributes, mode and time, in the order in which none undoes another."""
        owner = self._owner(entry)
        if owner is not None:
            files.change_owner(descriptor, *owner)
        _set_attributes(descriptor, entry.xattrs)
        files.change_mode(descriptor, entry.mode)
        os.utime(descriptor, ns=_times(entry))

    def _finish(self) -> None:
        while self._modes:
            entry = self._modes.pop()
            try:
                place = self._root.place(self._below(entry.path), leaf=False, directory=True)
                try:
                    os.chmod(f"/proc/self/fd/{place}", entry.mode)
                    if _FOR_NEW in entry.xattrs:
                        _set_attributes(f"/proc/self/fd/{place}", {_FOR_NEW: entry.xattrs[_FOR_NEW]})
                    os.utime(f"/proc/self/fd/{place}", ns=_times(entry))
                finally:
                    os.close(place)
            except OSError as error:
                raise self._failed(entry, error) from error

    def _opened(self, directory: bytes) -> int:
        """The directory that files are put into, made where no file said that it is one."""
        if self._parent is None or self._parent[0] != directory:
            try:
                opened = self._root.place(self._below(directory), directory=True)
            except FileNotFoundError:
                opened = self._root.make_directories(self._below(directory))
            if self._parent is not None:
                os.close(self._parent[1])
            self._parent = directory, opened
        return self._parent[1]

    def _below(self, path: bytes) -> bytes:
        return b"/".join(part for part in (self._base, path) if part)

    def _name(self, path: bytes) -> str:
        return f"{self._shown}/{os.fsdecode(path)}"

    def _failed(self, entry: Metadata, error: OSError) -> MilleError:
        return CopyFailed(f"{self._name(entry.path)}: {(error.strerror or str(error)).lower()}")


def _set_attributes(place: int | str, attributes: Mapping[bytes, bytes]) -> None:
    for key, value in attributes.items():
        try:
            os.setxattr(place, key, value)
        except OSError as error:
            # As Docker: the file system has no such thing, or it is not for this user to set; and what is no
            # directory has no list for what is made in it.
            if error.errno not in (errno.ENOTSUP, errno.EPERM) and (key, error.errno) != _NO_DIRECTORY:
                raise


def _times(entry: Metadata) -> tuple[int, int]:
    time = entry.mtime * 1_000_000_000 + entry.nsec
    return time, time
