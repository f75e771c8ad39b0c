"""A walk over a directory tree that somebody else may change meanwhile, and that never leaves it.

No path is looked up twice, and none that a symlink could bend: an entry is opened by its one name in its
directory, without following it, and everything about it comes from that descriptor. A directory is found
again, after what lies below it, with a lookup that refuses links. What is gone by then is left out.

Few descriptors are open at any time, however deep the tree is.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator, Iterator, Mapping

from millefeuille import kernel
from millefeuille.annotations import Final
from millefeuille.layers import xattrs
from millefeuille.layers.entry import BLOCK, CHARACTER, DIRECTORY, FIFO, FILE, HARDLINK, NO_XATTRS, SYMLINK
from millefeuille.layers.tarheader import Metadata

_KINDS: Final = {
    stat.S_IFREG: FILE, stat.S_IFDIR: DIRECTORY, stat.S_IFLNK: SYMLINK, stat.S_IFCHR: CHARACTER,
    stat.S_IFBLK: BLOCK, stat.S_IFIFO: FIFO,
}  # fmt: skip
_GONE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE)
_NO_SYMLINKS: Final = kernel.RESOLVE_BENEATH | kernel.RESOLVE_NO_SYMLINKS

Level = tuple[bytes, list[bytes]]  # a directory, and the names in it that are to come, the next one last


class Found:
    """One entry of the tree, held open until the walk goes on.

    `path` is relative to the tree's root; `mounted` says that another file system covers the entry, of which
    nothing is told. Set `descend` to False to leave out what lies below a directory.
    """

    __slots__ = ("descend", "descriptor", "mounted", "path", "status")

    def __init__(self, path: bytes, descriptor: int, *, mounted: bool) -> None:
        self.path = path
        self.descriptor = descriptor
        self.mounted = mounted
        self.status = os.fstat(descriptor)
        self.descend = not mounted

    @property
    def kind(self) -> int | None:
        """One of `entry`; None for a socket."""
        return _KINDS.get(stat.S_IFMT(self.status.st_mode))

    def attributes(self) -> list[bytes]:
        """The names of the extended attributes."""
        try:
            return [os.fsencode(name) for name in os.listxattr(self._magic)]
        except OSError as error:
            if error.errno == errno.ENOTSUP:
                return []
            raise

    def attribute(self, name: bytes) -> bytes | None:
        """The value of an extended attribute; None where it is gone."""
        try:
            return os.getxattr(self._magic, name)
        except OSError as error:
            if error.errno in (errno.ENODATA, errno.ENOTSUP):
                return None
            raise

    def open(self) -> int:
        """A descriptor for reading a regular file; the caller's to close."""
        return os.open(self._magic, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    @property
    def _magic(self) -> str:
        """A path that leads to this very inode, whatever has its name by now."""
        return f"/proc/self/fd/{self.descriptor}"


class Links:
    """Under which path a file with several names was met first."""

    def __init__(self) -> None:
        self._first: dict[tuple[int, int], bytes] = {}

    def first(self, found: Found) -> bytes | None:
        """The path of an earlier name of the same file; None when this is the first."""
        status = found.status
        if status.st_nlink < 2 or stat.S_ISDIR(status.st_mode):
            return None
        path = self._first.setdefault((status.st_dev, status.st_ino), found.path)
        return path if path != found.path else None


def walk(root: int, *, one_mount: bool = False) -> Iterator[Found]:
    """Everything below the directory `root` refers to, a directory before what is in it, names sorted.

    With `one_mount`, what is mounted inside of the tree is met as `mounted`, and not entered. Raises OSError,
    which names the path below the root.
    """
    levels: list[Level] = [(b"", _names(root, b""))]
    while levels:
        path, names = levels[-1]
        below = None
        directory = _again(root, path)
        try:
            while names and below is None and directory is not None:
                below = yield from _one(directory, path, names.pop(), one_mount)
        finally:
            if directory is not None:
                os.close(directory)
        if below is not None:
            levels.append(below)
        else:
            levels.pop()


def metadata(found: Found, links: Links) -> Metadata | None:
    """What a tar header says of an entry; None for a socket, which a tar cannot hold. Raises OSError."""
    kind, status = found.kind, found.status
    if kind is None:
        return None
    target = links.first(found)
    link, device = b"", (0, 0)
    if target is not None:
        kind, link = HARDLINK, target
    elif kind == SYMLINK:
        link = os.readlink(b"", dir_fd=found.descriptor)
    elif kind in (CHARACTER, BLOCK):
        device = (os.major(status.st_rdev), os.minor(status.st_rdev))
    # A further name has them too: Docker gives a file its owner again for each name, by which it loses
    # security.capability, and then what the entry of that name carries.
    kept = _kept(found)
    seconds, nanoseconds = divmod(status.st_mtime_ns, 1_000_000_000)
    return Metadata(
        path=found.path, kind=kind, mode=stat.S_IMODE(status.st_mode), uid=status.st_uid, gid=status.st_gid,
        size=0 if kind != FILE or found.mounted else status.st_size, mtime=seconds, nsec=nanoseconds,
        link=link, device=device, xattrs=kept,
    )  # fmt: skip


def attributes_of(descriptor: int) -> Mapping[bytes, bytes]:
    """The extended attributes of the root of a tree that a layer can carry. Raises OSError."""
    return _kept(Found(b"", descriptor, mounted=False))


def _kept(found: Found) -> Mapping[bytes, bytes]:
    pairs = ((name, found.attribute(name)) for name in found.attributes() if xattrs.may_carry(name))
    values = {name: value for name, value in pairs if value is not None}
    return {name: value for name, value in values.items() if xattrs.carried(name, value)} or NO_XATTRS


def _one(directory: int, parent: bytes, name: bytes, one_mount: bool) -> Generator[Found, None, Level | None]:
    """Look at one name; the level below it, when that is to be entered."""
    path = parent + b"/" + name if parent else name
    opened = _open(directory, name, path, one_mount)
    if opened is None:
        return None
    descriptor, mounted = opened
    try:
        found = Found(path, descriptor, mounted=mounted)
        yield found
        if not found.descend or not stat.S_ISDIR(found.status.st_mode):
            return None
        return path, _names(descriptor, path)
    finally:
        os.close(descriptor)


def _open(directory: int, name: bytes, path: bytes, one_mount: bool) -> tuple[int, bool] | None:
    """A descriptor that refers to one name, and whether something is mounted there; None when it is gone.
    `path` is that from the root, for errors.
    """
    flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        if one_mount:
            try:
                return kernel.openat2(directory, name, flags, resolve=kernel.RESOLVE_NO_XDEV), False
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
        return os.open(name, flags, dir_fd=directory), one_mount
    except OSError as error:
        if error.errno in _GONE:
            return None
        error.filename = path
        raise


def _names(directory: int, path: bytes) -> list[bytes]:
    """What a directory holds, the last name first; `path` is that from the root, for errors."""
    try:
        readable = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
    except OSError as error:
        if error.errno in _GONE:
            return []
        error.filename = path
        raise
    try:
        return sorted((os.fsencode(name) for name in os.listdir(readable)), reverse=True)
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(readable)


def _again(root: int, path: bytes) -> int | None:
    """Open a directory of the tree; None when it is no longer one."""
    if not path:
        return os.dup(root)
    flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return kernel.openat2(root, path, flags, resolve=_NO_SYMLINKS)
    except OSError as error:
        if error.errno in _GONE:
            return None
        error.filename = path
        raise
