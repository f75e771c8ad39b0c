"""Reading: the content hashes and attributes of files that nothing is known of yet.

Each file is read once, in two threads where there is much to read. One that is not what the scan found, or
changes while it is read, is an error: what would be copied is not what the build was asked for.
"""

from __future__ import annotations

import collections
import errno
import os
import stat
import threading
import time
from collections.abc import Iterable, Mapping
from itertools import groupby

from blake3 import blake3

from millefeuille import files
from millefeuille.annotations import Final, NamedTuple
from millefeuille.build.sources.scan import open_directory, refused
from millefeuille.errors import Failed
from millefeuille.layers import xattrs
from millefeuille.layers.entry import NO_XATTRS

_CHUNK: Final = 1 << 20  # bytes
_BOTH: Final = 4 << 20  # bytes to read from which on a second thread is worth its while
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# CLOCK_REALTIME_COARSE, which Python has no name for. Linux stamps files with it: it ticks, and what happens
# within a tick has one time.
CLOCK: Final = 5
# How a name fails that led to a file just now: it is gone, or a link, a directory, a socket or a fifo by now.
REPLACED: Final = (
    errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EAGAIN,
)  # fmt: skip
NO_CONTENT: Final = bytes(32)


class ContextChanged(Failed):
    """Something in the build context was changed while the build read it."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path or '.'}: changed while it was read",
            advice="Build again when nothing writes to the build context.",
        )


class Wanted(NamedTuple):
    """A file or directory to be read, as the scan found it; `number` is the caller's."""

    number: int
    path: str
    status: os.stat_result


class Read(NamedTuple):
    """What was read of it; `started` is when, in nanoseconds by the clock that stamps files."""

    content: bytes
    xattrs: Mapping[bytes, bytes]
    started: int


def directory(item: Wanted) -> str:
    """The directory that it lies in."""
    return item.path.rpartition("/")[0]


def read(root: int, wanted: Iterable[Wanted]) -> dict[int, Read]:
    """Read what is wanted of a tree, by its numbers. Raises ContextChanged, Unreadable, ScanFailed."""
    work = collections.deque((above, list(group)) for above, group in groupby(wanted, key=directory))
    size = sum(item.status.st_size for _, group in work for item in group)
    reader = _Reader(root, work)
    thread = threading.Thread(target=reader.run, name="context") if size > _BOTH else None
    if thread is not None:
        thread.start()
    reader.run()
    if thread is not None:
        thread.join()
    if reader.failure is not None:
        raise reader.failure
    return reader.found


def is_same(one: os.stat_result, other: os.stat_result) -> bool:
    """Whether two stats are of the same file, unchanged."""
    return (
        one.st_ctime_ns == other.st_ctime_ns
        and one.st_mtime_ns == other.st_mtime_ns
        and one.st_size == other.st_size
        and one.st_ino == other.st_ino
        and one.st_dev == other.st_dev
    )


class _Reader:
    def __init__(self, root: int, work: collections.deque[tuple[str, list[Wanted]]]) -> None:
        self._root = root
        self._work = work
        self.found: dict[int, Read] = {}
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Work until there is nothing left, or something fails; any number of threads may."""
        while self.failure is None:
            try:
                directory, group = self._work.popleft()
            except IndexError:
                return
            try:
                self._read_group(directory, group)
            except BaseException as error:  # handed to the thread that waits for the result
                self.failure = error

    def _read_group(self, directory: str, group: list[Wanted]) -> None:
        try:
            opened = open_directory(self._root, directory)
        except OSError as error:
            raise _gone(error, group[0].path) from error
        try:
            for item in group:
                self.found[item.number] = self._read(opened, item)
        finally:
            os.close(opened)

    def _read(self, directory: int, item: Wanted) -> Read:
        files.act("read", item.path)
        started = time.clock_gettime_ns(CLOCK)
        name, size = item.path.rpartition("/")[2], item.status.st_size
        try:
            descriptor = os.open(name or ".", _FILE, dir_fd=directory)
            try:
                if stat.S_ISDIR(item.status.st_mode):
                    if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                        raise ContextChanged(item.path)
                    # Names that came or went since are those of another build.
                    return Read(NO_CONTENT, attributes(descriptor), started)
                if size > _CHUNK and not is_same(os.fstat(descriptor), item.status):
                    raise ContextChanged(item.path)
                # Of a small file it is known only once it was read that it is the one.
                kept = attributes(descriptor)
                digest, length = _hashed(descriptor, size)
                if length != size or not is_same(os.fstat(descriptor), item.status):
                    raise ContextChanged(item.path)
                return Read(digest, kept, started)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _gone(error, item.path) from error


def attributes(descriptor: int) -> Mapping[bytes, bytes]:
    """The extended attributes, of an open file or directory, that a layer may carry."""
    try:
        names = os.listxattr(descriptor)
    except OSError:
        return NO_XATTRS  # a file system without
    if not names:
        return NO_XATTRS
    encoded = [os.fsencode(name) for name in names]
    pairs = {name: os.getxattr(descriptor, name) for name in encoded if xattrs.may_carry(name)}
    return {name: value for name, value in pairs.items() if xattrs.carried(name, value)} or NO_XATTRS


def _hashed(descriptor: int, size: int) -> tuple[bytes, int]:
    """The blake3 of an open file, and how long it is, as far as that is not more than it should be."""
    data = os.read(descriptor, min(size, _CHUNK) + 1)
    if len(data) <= _CHUNK:
        return blake3(data).digest(), len(data)
    hasher, length = blake3(data), len(data)
    buffer = memoryview(bytearray(_CHUNK))
    while length <= size and (count := os.readv(descriptor, [buffer])):
        hasher.update(buffer[:count])
        length += count
    return hasher.digest(), length


def _gone(error: OSError, path: str) -> Exception:
    """What a failure to open or read something means that was there just now."""
    if error.errno in REPLACED:
        return ContextChanged(path)
    return refused(error, path)
