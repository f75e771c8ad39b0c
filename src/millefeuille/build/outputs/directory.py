"""A build's result as files in a directory, `--output type=local`.

What is there already stays, but for what has the name of something new; no symlink below the directory is
ever followed, neither one that was there nor one that the result holds.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from types import TracebackType

from millefeuille import files, kernel
from millefeuille.annotations import Final
from millefeuille.errors import Failed
from millefeuille.layers.carried import Carried, Run
from millefeuille.layers.entry import BLOCK, CHARACTER, DIRECTORY, FIFO, FILE, HARDLINK, SYMLINK
from millefeuille.layers.tarheader import Metadata
from millefeuille.runtime import userns

_NODES: Final = {CHARACTER: stat.S_IFCHR, BLOCK: stat.S_IFBLK, FIFO: stat.S_IFIFO}
_CONFINED: Final = kernel.RESOLVE_BENEATH | kernel.RESOLVE_NO_SYMLINKS | kernel.RESOLVE_NO_MAGICLINKS


class ExportFailed(Failed):
    """A file of the result could not be written."""


def write_directory(path: str, carried: Iterable[Carried]) -> None:
    """Write files below the directory `path`, which is made where it is missing.

    Owners are kept when root writes, otherwise all belongs to whoever does. Raises ExportFailed, DiskFull,
    ReadOnlyStore, and what reading the files raises.
    """
    try:
        os.makedirs(path, exist_ok=True)
        root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise files.explain(error, path) from error
    with _Writer(root, path) as writer:
        for entry, runs in carried:
            writer.put(entry, runs)


class _Writer:
    def __init__(self, root: int, shown: str) -> None:
        self._root = root
        self._shown = shown.rstrip("/")
        self._parent: tuple[bytes, int] | None = None
        self._directories: list[Metadata] = []
        # An ordinary user is root where its builds run, but could not remove what others own.
        self._keep_owners = os.geteuid() == 0 and not userns.is_ordinary()

    def __enter__(self) -> _Writer:
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
            os.close(self._root)

    def put(self, entry: Metadata, runs: Callable[[], Iterable[Run]]) -> None:
        shown = f"{self._shown}/{os.fsdecode(entry.path)}"
        try:
            directory, _, name = entry.path.rpartition(b"/")
            parent = self._opened(directory)
            self._clear(parent, name, entry)
            files.act("mkdir" if entry.kind == DIRECTORY else "create", shown)
            if entry.kind == DIRECTORY:
                self._put_directory(parent, name, entry)
            elif entry.kind == FILE:
                self._put_file(parent, name, entry, runs)
            elif entry.kind == HARDLINK:
                self._put_link(parent, name, entry)
            else:
                self._put_other(parent, name, entry)
        except OSError as error:
            raise _failed(shown, error) from error

    def _clear(self, parent: int, name: bytes, entry: Metadata) -> None:
        """Take away what has the name, but for a directory where one is to be."""
        try:
            there = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return
        if not stat.S_ISDIR(there.st_mode):
            files.act("unlink", name)
            os.unlink(name, dir_fd=parent)
        elif entry.kind != DIRECTORY:
            files.remove_tree(f"/proc/self/fd/{parent}/{os.fsdecode(name)}")

    def _put_directory(self, parent: int, name: bytes, entry: Metadata) -> None:
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            pass
        self._directories.append(entry)

    def _put_file(self, parent: int, name: bytes, entry: Metadata, runs: Callable[[], Iterable[Run]]) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=parent)
        try:
            for offset, data in runs():
                os.lseek(descriptor, offset, os.SEEK_SET)
                files.write(descriptor, data)
            files.truncate(descriptor, entry.size)
            self._dress(descriptor, entry)
        except BaseException:
            os.unlink(name, dir_fd=parent)  # a file is whole, or not there
            raise
        finally:
            os.close(descriptor)

    def _put_link(self, parent: int, name: bytes, entry: Metadata) -> None:
        directory, _, linked = entry.link.rpartition(b"/")
        beside = self._open_directory(directory)
        try:
            os.link(linked, name, src_dir_fd=beside, dst_dir_fd=parent, follow_symlinks=False)
        finally:
            os.close(beside)

    def _put_other(self, parent: int, name: bytes, entry: Metadata) -> None:
        if entry.kind == SYMLINK:
            os.symlink(entry.link, name, dir_fd=parent)
        else:
            os.mknod(name, entry.mode | _NODES[entry.kind], os.makedev(*entry.device), dir_fd=parent)
        if self._keep_owners:
            os.chown(name, entry.uid, entry.gid, dir_fd=parent, follow_symlinks=False)
        os.utime(name, ns=_times(entry), dir_fd=parent, follow_symlinks=False)

    def _dress(self, descriptor: int, entry: Metadata) -> None:
        """Owner first: changing it takes set-user-ID bits away."""
        if self._keep_owners:
            files.change_owner(descriptor, entry.uid, entry.gid)
        files.change_mode(descriptor, entry.mode)
        files.change_times(descriptor, _times(entry)[0])

    def _finish(self) -> None:
        """Directories get what they are to have last: nothing changes them any more."""
        for entry in reversed(self._directories):
            try:
                descriptor = self._open_directory(entry.path)
                try:
                    self._dress(descriptor, entry)
                finally:
                    os.close(descriptor)
            except OSError as error:
                raise _failed(f"{self._shown}/{os.fsdecode(entry.path)}", error) from error

    def _opened(self, directory: bytes) -> int:
        if self._parent is None or self._parent[0] != directory:
            opened = self._open_directory(directory)
            if self._parent is not None:
                os.close(self._parent[1])
            self._parent = directory, opened
        return self._parent[1]

    def _open_directory(self, directory: bytes) -> int:
        return kernel.openat2(self._root, directory or b".", os.O_RDONLY | os.O_DIRECTORY, resolve=_CONFINED)


def _times(entry: Metadata) -> tuple[int, int]:
    time = entry.mtime * 1_000_000_000 + entry.nsec
    return time, time


def _failed(shown: str, error: OSError) -> Failed:
    explained = files.explain(error, shown)
    if isinstance(explained, files.DiskFull):
        return explained
    return ExportFailed(f"{shown}: {(error.strerror or str(error)).lower()}")
