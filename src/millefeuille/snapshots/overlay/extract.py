"""A layer's difference written out as files, straight from the tars.

    directories ─► files, symlinks, devices (in several threads) ─► further names ─► directories' own metadata

While directories are made there is no symlink in the tree yet; after that a directory is opened without
following any, and every name in it is one component that must not exist. No name of a layer, and no target
of a link, is ever resolved by the system.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from millefeuille import files, kernel
from millefeuille.annotations import Final
from millefeuille.errors import Corrupt, Denied, Unsupported
from millefeuille.layers.tree import Node
from millefeuille.snapshots.attributes import can_have
from millefeuille.snapshots.overlay.difference import Directory
from millefeuille.snapshots.snapshotter import Marks

_THREADS: Final = 4
_SMALL: Final = 64 << 10  # bytes; below, one read and one write are faster than a copy in the kernel
_ROOM: Final = 1 << 20  # bytes; with less, a disk is full
_NOT_KEPT: Final = (
    errno.ENOSPC, errno.E2BIG, errno.ERANGE, errno.EOPNOTSUPP, errno.ENAMETOOLONG, errno.EINVAL,
)  # fmt: skip
_SAFE: Final = kernel.RESOLVE_IN_ROOT | kernel.RESOLVE_NO_SYMLINKS | kernel.RESOLVE_NO_MAGICLINKS
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class UnmappedOwner(Denied):
    """A file's owner does not exist in this process's user namespace."""


class AttributesRefused(Unsupported):
    """The file system cannot keep what a file has beside its bytes."""


class ShortLayer(Corrupt):
    """A layer's tar ends before a file that its index says is in it."""


def extract(root: int, directories: Sequence[Directory], tars: Sequence[int], *, marks: Marks) -> None:
    """Write the difference into the empty directory open at `root`.

    `directories` come each after its parent; `tars` are the open tars of all layers by number. Nothing is
    synced. Raises OSError, UnmappedOwner, ShortLayer; then `root` is left half-done.
    """
    for directory in directories:
        if directory.path:
            files.act("mkdir", directory.path)
            os.mkdir(directory.path, 0o700, dir_fd=root)
    writer = _Writer(root, tars, marks)
    with_content = [x for x in directories if x.inodes or x.gone]
    _in_threads(writer.fill, sorted(with_content, key=_weight))
    for directory in directories:
        if directory.links:
            writer.link(directory)
    for directory in reversed(directories):
        writer.finish(directory)


class _Writer:
    """Writes into one tree; several threads at once, each in other directories."""

    def __init__(self, root: int, tars: Sequence[int], marks: Marks) -> None:
        self._root = root
        self._tars = tars
        self._marks = marks
        # What is made in the tree has the owner that the tree has; most files of most images are root's.
        status = os.fstat(root)
        self._owner = (status.st_uid, status.st_gid)

    def fill(self, directory: Directory) -> None:
        """Everything in a directory that has no name yet, but for directories."""
        with self._opened(directory.path) as place:
            for name in directory.gone:
                files.act("mknod", name)
                os.mknod(name, stat.S_IFCHR, 0, dir_fd=place)
            for name, node in directory.inodes:
                files.act("create", name)
                if stat.S_ISREG(node.mode):
                    self._file(place, name, node)
                else:
                    self._special(place, name, node)

    def link(self, directory: Directory) -> None:
        """Further names of inodes that are there."""
        with self._opened(directory.path) as place:
            for name, first in directory.links:
                parent, _, leaf = first.rpartition(b"/")
                files.act("link", name)
                with self._opened(parent) as source:
                    # An inode that this user namespace cannot have was left out under its first name.
                    with contextlib.suppress(FileNotFoundError):
                        os.link(leaf, name, src_dir_fd=source, dst_dir_fd=place, follow_symlinks=False)

    def finish(self, directory: Directory) -> None:
        """A directory's own metadata; what is in it is there by now."""
        node = directory.node
        with self._opened(directory.path) as place:
            self._own(place, node, b"/" + directory.path)
            self._attribute(place, node, directory.path)
            os.fchmod(place, stat.S_IMODE(node.mode))  # behind an ACL, which sets the mode
            if directory.opaque:
                os.setxattr(place, f"{self._marks}.overlay.opaque", b"y")
            os.utime(place, ns=(time := _nanoseconds(node), time))

    def _file(self, place: int, name: bytes, node: Node) -> None:
        target = os.open(name, _NEW, 0o600, dir_fd=place)
        try:
            if node.size:
                self._content(target, node)
            self._own(target, node, name)
            if node.xattrs:
                self._attribute(target, node, name)
            os.fchmod(target, stat.S_IMODE(node.mode))
            os.utime(target, ns=(time := _nanoseconds(node), time))
        finally:
            os.close(target)

    def _content(self, target: int, node: Node) -> None:
        tar, at = self._tars[node.layer], node.offset
        if node.sparse is None:
            _copy(tar, at, target, node.size)
            return
        os.ftruncate(target, node.size)
        for start, length in node.sparse:
            os.lseek(target, start, os.SEEK_SET)
            _copy(tar, at, target, length)
            at += length

    def _special(self, place: int, name: bytes, node: Node) -> None:
        """A symlink, device or pipe: nothing to open, but the name is ours and is not followed."""
        if stat.S_ISLNK(node.mode):
            os.symlink(node.link, name, dir_fd=place)
        else:
            try:
                os.mknod(name, stat.S_IFMT(node.mode) | 0o600, node.rdev, dir_fd=place)
            except PermissionError:
                if self._marks == "trusted" or stat.S_ISFIFO(node.mode):
                    raise
                return  # a user namespace has no devices; containers bring their own
        if (node.uid, node.gid) != self._owner:
            with _owned(node, name):
                os.chown(name, node.uid, node.gid, dir_fd=place, follow_symlinks=False)
        if node.xattrs:
            self._attribute(b"/proc/self/fd/%d/%b" % (place, name), node, name)
        if not stat.S_ISLNK(node.mode):
            # Not a symlink, as it was made here: following one is out of the question.
            os.chmod(name, stat.S_IMODE(node.mode), dir_fd=place)
        os.utime(name, ns=(time := _nanoseconds(node), time), dir_fd=place, follow_symlinks=False)

    def _attribute(self, target: int | bytes, node: Node, name: bytes) -> None:
        for key, value in node.xattrs.items():
            if not can_have(node.mode, key):
                continue
            try:
                if isinstance(target, int):
                    os.setxattr(target, key, value)
                else:
                    os.setxattr(target, key, value, follow_symlinks=False)
            except OSError as error:
                # A file system has little room for attributes, and says the same of that as of its own end.
                space = os.fstatvfs(self._root)
                is_full = error.errno == errno.ENOSPC and space.f_bavail * space.f_frsize < _ROOM
                if is_full or error.errno not in _NOT_KEPT:
                    raise
                raise AttributesRefused(
                    f"{os.fsdecode(name)!r}: the file system cannot keep its extended attribute"
                    f" {os.fsdecode(key)!r} ({(error.strerror or '').lower()})"
                ) from None

    def _own(self, descriptor: int, node: Node, name: bytes) -> None:
        if (node.uid, node.gid) != self._owner:
            with _owned(node, name):
                os.fchown(descriptor, node.uid, node.gid)

    @contextlib.contextmanager
    def _opened(self, path: bytes) -> Iterator[int]:
        descriptor = kernel.openat2(self._root, path or b".", _DIRECTORY, resolve=_SAFE)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _owned(node: Node, name: bytes) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EPERM, errno.EOVERFLOW):
            raise
        raise UnmappedOwner(
            f"{os.fsdecode(name)!r} belongs to {node.uid}:{node.gid}, which is no user here",
            advice="Give this user more subordinate IDs (/etc/subuid, /etc/subgid), or run as root.",
        ) from None


def _copy(source: int, at: int, target: int, size: int) -> None:
    """Copy from one place of a file to the position of another."""
    if size <= _SMALL:
        data = os.pread(source, size, at)
        if len(data) != size:
            raise ShortLayer(f"a layer's tar ends before {at + size} bytes")
        written = os.write(target, data)
        while written < size:  # no room for more, as the next attempt will say
            written += os.write(target, data[written:])
        return
    left = size
    while left:
        copied = os.sendfile(target, source, at + size - left, left)
        if not copied:
            raise ShortLayer(f"a layer's tar ends before {at + size} bytes")
        left -= copied


def _nanoseconds(node: Node) -> int:
    return node.mtime * 1_000_000_000 + node.nsec


def _weight(directory: Directory) -> int:
    return sum(node.size for _, node in directory.inodes) + 20_000 * len(directory.inodes)


def _in_threads(work: Callable[[Directory], None], items: Sequence[Directory]) -> None:
    """Do `work` on all items, the last ones first; the first error raised, and then no more is begun."""
    pending = deque(items)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            while pending and not failures:
                try:
                    item = pending.pop()
                except IndexError:
                    return
                work(item)
        except BaseException as error:
            failures.append(error)

    count = min(_THREADS, len(os.sched_getaffinity(0)), len(items))
    threads = [threading.Thread(target=run, name=f"extract-{number}") for number in range(count - 1)]
    for thread in threads:
        thread.start()
    run()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
