"""Arrival: an archive from outside as a plain tar that can be read at any offset.

A plain tar in a regular file is read where it is. What is compressed or comes through a pipe is first
written to a nameless file in the store: the documents that say what is needed may stand at its very end.
"""

from __future__ import annotations

import contextlib
import os
import stat
import uuid
from collections.abc import Iterator
from typing import Final

from millefeuille import files
from millefeuille.layers.compression import Inflater
from millefeuille.store.disk import Disk
from millefeuille.transfer.archive.decompression import archive_inflater, sniff_archive

_CHUNK: Final = 256 << 10  # bytes


@contextlib.contextmanager
def arrived(disk: Disk, descriptor: int) -> Iterator[int]:
    """A descriptor of the plain tar that can be read from `descriptor`, which stays the caller's.

    Raises BrokenStream, Bomb, DiskFull, OSError.
    """
    in_place = _is_whole_file(descriptor)
    head = _read(descriptor)
    kind = sniff_archive(head)
    if kind == "none" and in_place:
        yield descriptor
        return
    spool = _nameless(disk)
    try:
        try:
            _fill(spool, descriptor, head, archive_inflater(kind))
        except OSError as error:
            raise files.explain(error, f"the store {disk.root}") from error
        yield spool
    finally:
        os.close(spool)


def _is_whole_file(descriptor: int) -> bool:
    """Whether it can be read at any offset, and nothing of it has been read yet."""
    return stat.S_ISREG(os.fstat(descriptor).st_mode) and not os.lseek(descriptor, 0, os.SEEK_CUR)


def _nameless(disk: Disk) -> int:
    path = f"{disk.ingest}/archive-{uuid.uuid4().hex}"
    descriptor = files.create(path)
    files.unlink(path)
    return descriptor


def _fill(spool: int, descriptor: int, head: bytes, inflater: Inflater) -> None:
    chunk = head
    while chunk:
        for piece in inflater.feed(chunk):
            files.write(spool, piece)
        chunk = os.read(descriptor, _CHUNK)
    inflater.finish()


def _read(descriptor: int) -> bytes:
    """The first bytes: enough to know the kind, however small the pieces they come in."""
    head = b""
    while len(head) < 16 and (piece := os.read(descriptor, _CHUNK)):
        head += piece
    return head
