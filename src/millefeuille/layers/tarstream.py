"""A tar as a stream of pieces: entries and their data in, bytes out; nothing is kept but one piece."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Final

from millefeuille.layers.header import BLOCK_SIZE
from millefeuille.layers.ingest import CHUNK
from millefeuille.layers.tarheader import Metadata, encode

# An entry, and for a file that is not empty where its data come from: a descriptor, read from where it stands
# and good until the next member is asked for, or the bytes.
Member = tuple[Metadata, int | bytes | None]

_END: Final = bytes(2 * BLOCK_SIZE)


def tar_pieces(members: Iterable[Member]) -> Iterator[bytes]:
    """The tar of these members, in pieces of about CHUNK bytes.

    A file that has become shorter than its entry says is filled up with zeros, as GNU tar does; what has been
    added to it since is left out. Raises OSError from reading, and what `members` raises.
    """
    buffer = bytearray()
    for entry, content in members:
        buffer += encode(entry)
        if content is not None and entry.size:
            if isinstance(content, bytes):
                buffer += content
            else:
                yield from _file(content, entry.size, buffer)
            buffer += bytes(-entry.size % BLOCK_SIZE)
        if len(buffer) >= CHUNK:
            yield _taken(buffer)
    yield bytes(buffer + _END)


def _file(descriptor: int, size: int, buffer: bytearray) -> Iterator[bytes]:
    """The pieces that are full; what is left over is put in `buffer`."""
    if size >= CHUNK and buffer:
        yield _taken(buffer)
    while size:
        piece = os.read(descriptor, min(size, CHUNK)) or bytes(min(size, CHUNK))
        size -= len(piece)
        if not buffer and len(piece) == CHUNK:
            yield piece
            continue
        buffer += piece
        if len(buffer) >= CHUNK:
            yield _taken(buffer)


def _taken(buffer: bytearray) -> bytes:
    piece = bytes(buffer)
    buffer.clear()
    return piece
