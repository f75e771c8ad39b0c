"""Carried: one file on its way from one tree to another, be these on a disk, in an image or in a tar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from millefeuille.annotations import Final, NamedTuple
from millefeuille.layers.entry import FILE
from millefeuille.layers.header import BLOCK_SIZE
from millefeuille.layers.tarheader import Metadata, encode

# Where in a file some bytes of data lie, and these bytes. What lies between two runs reads as zeros.
Run = tuple[int, bytes | memoryview]

_ZEROS: Final = bytes(1 << 20)


def no_content() -> Iterator[Run]:
    """The content of all that is no regular file."""
    return iter(())


class Carried(NamedTuple):
    """What is known of a file, and its data.

    The path of `entry` is relative to what is being carried, "" for that itself; a directory comes before
    what is in it, and what a hard link names before the link. `runs` gives a regular file's data, once,
    before the next file is asked for; it raises OSError, and Corrupt or Failed when these are not what was
    promised.
    """

    entry: Metadata
    runs: Callable[[], Iterable[Run]] = no_content


class TarOutput:
    """A tar of what is carried. `write` takes all of the bytes it is given; times are in whole seconds."""

    def __init__(self, write: Callable[[bytes | memoryview], object]) -> None:
        self._write = write

    def add(self, entry: Metadata, runs: Callable[[], Iterable[Run]] = no_content) -> None:
        """Write one file. Raises what `runs` and `write` raise."""
        self._write(encode(entry._replace(nsec=0)))
        if entry.kind != FILE:
            return
        position = 0
        for offset, data in runs():
            self._zeros(offset - position)
            self._write(data)
            position = offset + len(data)
        self._zeros(entry.size - position)
        self._write(bytes(-entry.size % BLOCK_SIZE))

    def finish(self) -> None:
        """The two blocks of zeros that end a tar."""
        self._write(bytes(2 * BLOCK_SIZE))

    def _zeros(self, count: int) -> None:
        while count > 0:
            self._write(_ZEROS[:count])
            count -= len(_ZEROS)


def tar_size(entry: Metadata) -> int:
    """The bytes that a file takes in such a tar."""
    size = entry.size if entry.kind == FILE else 0
    return len(encode(entry._replace(nsec=0))) + size + -size % BLOCK_SIZE
