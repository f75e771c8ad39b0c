"""Layers of our own making, written with Python's tarfile and zlib alone.

So the engine is tested against bytes that it did not write itself. Equal input gives equal bytes.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from millefeuille.annotations import IO, Any, Final, Protocol
from millefeuille.values import dataclass

if sys.version_info >= (3, 14):  # pragma: no cover - the branch of newer interpreters
    from compression.zstd import ZstdCompressor
else:
    from backports.zstd import ZstdCompressor

EPOCH: Final = 1_700_000_000  # seconds; the mtime of every file that has none of its own
_CHUNK: Final = 1 << 20  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeLayer:
    """One layer as a file. `compression` is gzip, zstd or "" for none; `size` and `digest` are the file's."""

    path: Path
    digest: str
    size: int
    diff_id: str
    compression: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One tar entry: its header, and the bytes behind it."""

    header: tarfile.TarInfo
    content: IO[bytes] | None = None


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


def make_layer(
    path: Path, entries: Iterable[Entry], *, compression: str = "gzip", level: int = 6, end: bytes = b""
) -> MadeLayer:
    """Write `entries` as a tar, compressed, to the file `path`; `end` is put after the tar's own end."""
    compressor = _compressor(compression, level)
    with path.open("wb") as file:
        pipe = _Pipe(file, compressor)
        with tarfile.open(fileobj=pipe, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_CHUNK) as archive:
            for entry in entries:
                archive.addfile(entry.header, entry.content)
        pipe.write(end)
        pipe.finish()
    return MadeLayer(
        path=path,
        digest=f"sha256:{pipe.outer.hexdigest()}",
        size=pipe.size,
        diff_id=f"sha256:{pipe.inner.hexdigest()}",
        compression=compression,
    )


def file_entry(name: str, content: bytes, *, mode: int = 0o644, mtime: int = EPOCH) -> Entry:
    """A regular file of root's."""
    header = _header(name, tarfile.REGTYPE, mode, mtime)
    header.size = len(content)
    return Entry(header=header, content=io.BytesIO(content))


def directory_entry(name: str, *, mode: int = 0o755, mtime: int = EPOCH) -> Entry:
    """A directory of root's."""
    return Entry(header=_header(name, tarfile.DIRTYPE, mode, mtime))


def link_entry(name: str, target: str, *, hard: bool = False, mtime: int = EPOCH) -> Entry:
    """A symbolic link, or a hard one, to `target`."""
    header = _header(name, tarfile.LNKTYPE if hard else tarfile.SYMTYPE, 0o777, mtime)
    header.linkname = target
    return Entry(header=header)


def directory_entries(root: Path) -> Iterator[Entry]:
    """The tree below `root` in the order of its names, owned by root; hard links stay hard links."""
    seen: dict[tuple[int, int], str] = {}
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted([*folders, *files]):
            path = Path(folder, name)
            if path.is_symlink() or name in files:
                yield from _leaf(path, str(path.relative_to(root)), seen)
            else:
                status = path.stat()
                mode = status.st_mode & 0o7777
                yield directory_entry(str(path.relative_to(root)), mode=mode, mtime=int(status.st_mtime))


def _leaf(path: Path, name: str, seen: dict[tuple[int, int], str]) -> Iterator[Entry]:
    status = path.lstat()
    mtime = int(status.st_mtime)
    if path.is_symlink():
        yield link_entry(name, os.readlink(path), mtime=mtime)
        return
    first = seen.setdefault((status.st_dev, status.st_ino), name)
    if first != name:
        yield link_entry(name, first, hard=True, mtime=mtime)
        return
    header = _header(name, tarfile.REGTYPE, status.st_mode & 0o7777, mtime)
    header.size = status.st_size
    with path.open("rb") as content:
        yield Entry(header=header, content=content)


def _header(name: str, kind: bytes, mode: int, mtime: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.type, header.mode, header.mtime = kind, mode, mtime
    return header


def _compressor(compression: str, level: int) -> _Compressor:
    if compression == "gzip":
        return zlib.compressobj(level, zlib.DEFLATED, 31)  # 31: the gzip header, with no time in it
    if compression == "zstd":
        return ZstdCompressor(level=min(level, 3))
    return _Plain()


class _Pipe(io.RawIOBase):
    """What tarfile writes into: hashes, compresses, hashes again."""

    def __init__(self, file: IO[bytes], compressor: _Compressor) -> None:
        super().__init__()
        self.inner = hashlib.sha256()
        self.outer = hashlib.sha256()
        self.size = 0
        self._file = file
        self._compressor = compressor

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self.inner.update(data)
        self._put(self._compressor.compress(data))
        return len(data)

    def finish(self) -> None:
        self._put(self._compressor.flush())

    def _put(self, data: bytes) -> None:
        self.outer.update(data)
        self._file.write(data)
        self.size += len(data)
