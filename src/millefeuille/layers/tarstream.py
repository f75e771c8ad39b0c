"""A tar as a stream of pieces: entries and their data in, bytes out; nothing is kept but one piece."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from millefeuille.annotations import Final
from millefeuille.layers.chunk import CHUNK
from millefeuille.layers.header import BLOCK_SIZE
from millefeuille.layers.tarheader import Metadata, encode

# An entry, and for a file that is not empty where its data come from: a descriptor, read from where it stands
# and good until the next member is asked for, or the bytes.
Member = tuple[Metadata, int | bytes | None]

_END: Final = bytes(2 * BLOCK_SIZE)
_ZEROS: Final = bytes(BLOCK_SIZE)


def tar_pieces(members: Iterable[Member]) -> Iterator[bytes]:
    """The tar of these members, in pieces of CHUNK bytes, the last one shorter.

    A file that has become shorter than its entry says is filled up with zeros, as GNU tar does; what has been
    added to it since is left out. Raises OSError from reading, and what `members` raises.
    """
    waiting = _Waiting()
    parts = waiting.parts
    for entry, content in members:
        header = encode(entry)
        size = entry.size
        more: tuple[bytes, ...] = (header,)
        if content is None or not size:
            taken = len(header)
        elif isinstance(content, bytes):
            padding = -size % BLOCK_SIZE
            taken, more = len(header) + size + padding, (header, content, _ZEROS[:padding])
        else:
            yield from waiting.put(header)
            yield from _file(content, size, waiting)
            taken, more = -size % BLOCK_SIZE, (_ZEROS[: -size % BLOCK_SIZE],)
        if waiting.size + taken < CHUNK:
            parts += more
            waiting.size += taken
        else:
            for part in more:
                yield from waiting.put(part)
    yield from waiting.put(_END)
    yield waiting.taken()


class _Waiting:
    """Bytes that do not fill a piece yet, `size` of them."""

    def __init__(self) -> None:
        self.parts: list[bytes | memoryview] = []
        self.size = 0

    def put(self, part: bytes | memoryview) -> Iterator[bytes]:
        """The pieces that are full with this."""
        rest = memoryview(part)
        while self.size + len(rest) >= CHUNK:
            room = CHUNK - self.size
            self.parts.append(rest[:room])
            yield self.taken()
            rest = rest[room:]
        self.parts.append(rest)
        self.size += len(rest)

    def taken(self) -> bytes:
        """All of it."""
        piece = b"".join(self.parts)
        self.parts.clear()
        self.size = 0
        return piece


def _file(descriptor: int, size: int, waiting: _Waiting) -> Iterator[bytes]:
    """The pieces that are full with the content of a file."""
    while size:
        wanted = min(size, CHUNK - waiting.size)
        data = os.read(descriptor, wanted) or bytes(wanted)
        size -= len(data)
        if len(data) == CHUNK:
            yield data
        else:
            yield from waiting.put(data)
