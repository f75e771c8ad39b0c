"""Arrival: an archive from outside as a file that can be read at any offset.

A regular file is read where it is. What comes through a pipe, or is compressed and must not be, is first
written to a nameless file in the store: the documents that say what is needed may stand at its very end.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Container, Iterator
from functools import partial

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.errors import Failed
from millefeuille.layers.compression import Inflater
from millefeuille.layers.index import BLOCK_SIZE
from millefeuille.store.disk import Disk
from millefeuille.transfer.archive.contents import check_begin
from millefeuille.transfer.archive.decompression import archive_inflater, sniff_archive

_CHUNK: Final = 256 << 10  # bytes


ARCHIVE_KINDS: Final = frozenset({"none"})
LAYER_KINDS: Final = frozenset({"none", "gzip", "zstd"})

Read = Callable[[int], bytes]  # at most that many bytes, none at the end


@contextlib.contextmanager
def arrived(
    disk: Disk, source: int | Read, kept: Container[str] = ARCHIVE_KINDS, *, scratch: bool = False
) -> Iterator[int]:
    """A descriptor of what can be read from `source`, a descriptor that stays the caller's or a function.

    Compressions that are not `kept` are undone; where none is, what comes has to begin as an archive of
    images does. `scratch` tells that `disk.ingest` is a directory outside of a store.
    Raises BadArchive, BrokenStream, Bomb, DiskFull, OSError.
    """
    in_place = isinstance(source, int) and _is_whole_file(source)
    read: Read = partial(os.read, source) if isinstance(source, int) else source
    head = _head(read)
    kind = sniff_archive(head)
    if kind in kept:
        if in_place and isinstance(source, int):
            yield source
            return
        kind = "none"
    spool = _nameless(disk)
    try:
        pieces = _inflated(read, head, archive_inflater(kind))
        for piece in _checked(pieces) if kept is ARCHIVE_KINDS else pieces:
            try:
                files.write(spool, piece)
            except OSError as error:
                raise _explained(error, disk, scratch=scratch) from error
        yield spool
    finally:
        os.close(spool)


def _is_whole_file(descriptor: int) -> bool:
    """Whether it can be read at any offset, and nothing of it has been read yet."""
    return stat.S_ISREG(os.fstat(descriptor).st_mode) and not os.lseek(descriptor, 0, os.SEEK_CUR)


def _nameless(disk: Disk) -> int:
    path = f"{disk.ingest}/archive-{os.urandom(16).hex()}"
    descriptor = files.create(path)
    files.unlink(path)
    return descriptor


def _inflated(read: Read, head: bytes, inflater: Inflater) -> Iterator[bytes | memoryview]:
    chunk = head
    while chunk:
        yield from inflater.feed(chunk)
        chunk = read(_CHUNK)
    inflater.finish()


def _checked(pieces: Iterator[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """The same pieces, when the first block of all is one of an archive: what is none may have no end."""
    begin = b""
    for piece in pieces:
        if len(begin) < BLOCK_SIZE:
            begin += bytes(piece[:BLOCK_SIZE])
            if len(begin) >= BLOCK_SIZE:
                check_begin(begin[:BLOCK_SIZE])
        yield piece


def _explained(error: OSError, disk: Disk, *, scratch: bool) -> Failed:
    if scratch and error.errno in files.NO_ROOM:
        return files.DiskFull(
            f"{disk.ingest}: no space left on device", advice="TMPDIR can name a directory with more room."
        )
    if scratch:
        return files.explain(error, disk.ingest)
    return files.explain(error, f"the store {disk.root}", root=disk.root)


def _head(read: Read) -> bytes:
    """The first bytes: enough to know the kind, however small the pieces they come in."""
    head = b""
    while len(head) < 16 and (piece := read(_CHUNK)):
        head += piece
    return head
