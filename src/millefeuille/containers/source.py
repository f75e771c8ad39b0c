"""Source: what is copied: a file, or a directory with all that is below it, held by a descriptor."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType

from millefeuille import kernel
from millefeuille.annotations import Final
from millefeuille.containers.paths import open_data
from millefeuille.errors import Failed, Unsupported
from millefeuille.layers.carried import Carried, Run
from millefeuille.layers.entry import DIRECTORY, FILE
from millefeuille.layers.tarheader import Metadata
from millefeuille.layers.walk import Found, Links, metadata, walk

CONTENT: Final = b"."  # the name of a source of which only what is in it is copied
_CHUNK: Final = 256 << 10  # bytes
_LIVE_MAXIMUM: Final = 16 << 20  # bytes
# proc, sysfs, cgroup, cgroup2, mqueue, devpts, tracefs, debugfs, securityfs, bpf, pstore (magic.h)
_LIVE: Final = frozenset({
    0x9FA0, 0x62656572, 0x27E0EB, 0x63677270, 0x19800202, 0x1CD1, 0x74726163, 0x64626720, 0x73636673,
    0xCAFE4A11, 0x6165676C,
})  # fmt: skip


class Uncopyable(Unsupported):
    """What is at the path cannot be copied: a socket."""


class ChangedFile(Failed):
    """A file became shorter while it was being copied."""


class Unreadable(Failed):
    """A file or a directory cannot be read; the message is Docker's."""

    @classmethod
    def of(cls, act: str, shown: str, error: OSError) -> Unreadable:
        """That of an act, `open` or `read`, on what is called `shown`."""
        return cls(f"{act} {shown}: {(error.strerror or str(error)).lower()}")


class Source:
    """What is copied. Close it after use.

    `name` is what the copy is called where nothing else is said: the last part of the path as it was given,
    CONTENT for one that ended in `/.` or was the root.
    """

    def __init__(
        self,
        name: bytes,
        *,
        directory: bool,
        files: Iterator[Carried],
        close: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self.directory = directory
        self.files = files
        self._close = close

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._close is not None:
            self._close()
            self._close = None


def on_disk(place: int, name: bytes, shown: str, *, whole: bool = False) -> Source:
    """What the O_PATH descriptor `place` refers to, which is the source's from now on; `shown` in errors.

    The kernel's own file systems (/proc, /sys) are left out unless `place` lies in one; and /dev is, from a
    `whole` root. Raises Uncopyable.
    """
    mode = os.fstat(place).st_mode
    if stat.S_ISSOCK(mode):
        os.close(place)
        raise Uncopyable(f"{shown} is a socket, which cannot be copied")
    close = partial(os.close, place)
    files = _files(place, shown, whole=whole)
    return Source(name, directory=stat.S_ISDIR(mode), files=files, close=close)


def _files(place: int, shown: str, *, whole: bool) -> Iterator[Carried]:
    links = Links()
    top = Found(b"", os.dup(place), mounted=False)
    live = _is_live(top)
    try:
        entry = _metadata(top, links, shown)
        assert entry is not None  # no socket
        yield _carried(entry, top, shown, live=live)
        if entry.kind != DIRECTORY:
            return
    finally:
        os.close(top.descriptor)
    for found in _walked(place, shown):
        path = _below(shown, found.path)
        entry = _metadata(found, links, path)
        if entry is None:
            continue
        if entry.kind == DIRECTORY and found.status.st_dev != top.status.st_dev:
            found.descend = live or not (_is_live(found) or (whole and found.path == b"dev"))
        yield _carried(entry, found, path, live=live)


def _walked(place: int, shown: str) -> Iterator[Found]:
    """As `walk`; raises Unreadable."""
    try:
        yield from walk(place)
    except OSError as error:
        path = error.filename if isinstance(error.filename, bytes) else b""
        raise Unreadable.of("open", _below(shown, path), error) from error


def _metadata(found: Found, links: Links, shown: str) -> Metadata | None:
    """As `metadata`; raises Unreadable."""
    try:
        return metadata(found, links)
    except OSError as error:
        raise Unreadable.of("read", shown, error) from error


def _below(shown: str, path: bytes) -> str:
    return f"{shown.rstrip('/')}/{os.fsdecode(path)}" if path else shown


def _is_live(found: Found) -> bool:
    """Whether the kernel makes these files up when they are read, and tells no true sizes before."""
    return kernel.file_system(found.descriptor) in _LIVE


def _carried(entry: Metadata, found: Found, shown: str, *, live: bool) -> Carried:
    if entry.kind != FILE:
        return Carried(entry)
    if not live:
        return Carried(entry, partial(_runs, found, entry.size, shown))
    data = _whole(found, shown)
    return Carried(entry._replace(size=len(data)), partial(_once, data))


def _once(data: bytes) -> Iterator[Run]:
    return iter(((0, data),))


def _whole(found: Found, shown: str) -> bytes:
    """All that reading a file gives, up to a limit."""
    data = b""
    try:
        descriptor = open_data(found.descriptor)
        try:
            while len(data) < _LIVE_MAXIMUM and (more := os.read(descriptor, _CHUNK)):
                data += more
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Unreadable.of("read", shown, error) from error
    return data


def _runs(found: Found, size: int, shown: str) -> Iterator[Run]:
    """The data of a regular file as far as it was long when it was met; holes are left out."""
    if not size:
        return
    try:
        descriptor = open_data(found.descriptor)
    except OSError as error:
        raise Unreadable.of("open", shown, error) from error
    try:
        position = 0
        while position < size:
            start, end = _extent(descriptor, position, size)
            for at in range(start, end, _CHUNK):
                data = _read(descriptor, min(_CHUNK, end - at), at, shown)
                if len(data) < min(_CHUNK, end - at):
                    raise ChangedFile(f"{shown} became shorter while it was being copied")
                yield at, data
            position = end
        if os.fstat(descriptor).st_size < size:
            raise ChangedFile(f"{shown} became shorter while it was being copied")
    finally:
        os.close(descriptor)


def _read(descriptor: int, count: int, at: int, shown: str) -> bytes:
    try:
        return os.pread(descriptor, count, at)
    except OSError as error:
        raise Unreadable.of("read", shown, error) from error


def _extent(descriptor: int, position: int, size: int) -> tuple[int, int]:
    """Where the next data begins and ends, at or behind `position`; (size, size) when there is none."""
    try:
        start = os.lseek(descriptor, position, os.SEEK_DATA)
        return min(start, size), min(os.lseek(descriptor, start, os.SEEK_HOLE), size)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return size, size
        if error.errno in (errno.EINVAL, errno.ENOTSUP):  # files of /proc and the like know no holes
            return position, size
        raise
