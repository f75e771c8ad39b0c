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
from millefeuille.layers.compression import Inflater
from millefeuille.store.disk import Disk
from millefeuille.transfer.archive.decompression import archive_inflater, sniff_archive

_CHUNK: Final = 256 << 10  # bytes


ARCHIVE_KINDS: Final = frozenset({"none"})
LAYER_KINDS: Final = frozenset({"none", "gzip", "zstd"})

Read = Callable[[int], bytes]  # at most that many bytes, none at the end


@contextlib.contextmanager
def arrived(disk: Disk, source: int | Read, kept: Container[str] = ARCHIVE_KINDS) -> Iterator[int]:
    """A descriptor of what can be read from `source`, a descriptor that stays the caller's or a function.

    Compressions that are not `kept` are undone. Raises BrokenStream, Bomb, DiskFull, OSError.
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
        _fill(spool, read, head, archive_inflater(kind), f"the store {disk.root}")
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


def _fill(spool: int, read: Read, head: bytes, inflater: Inflater, what: str) -> None:
    chunk = head
    while chunk:
        for piece in inflater.feed(chunk):
            try:
                files.write(spool, piece)
            except OSError as error:
                raise files.explain(error, what) from error
        chunk = read(_CHUNK)
    inflater.finish()


def _head(read: Read) -> bytes:
    """The first bytes: enough to know the kind, however small the pieces they come in."""
    head = b""
    while len(head) < 16 and (piece := read(_CHUNK)):
        head += piece
    return head
