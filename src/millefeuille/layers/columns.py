"""The container a layer index is written in: named sections of little-endian columns, and a hash.

    header    magic, version, number of sections, length of the whole
    table     one record for each section: name, offset, length
    sections  each on an 8-byte boundary
    hash      blake3 of every byte before it

A reader maps the file and looks at the columns where they lie; it makes no object for an entry. Sections
it does not know are left alone, so later writers may add some without a new version.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Sequence

from blake3 import blake3

from millefeuille.annotations import Any, Final, cast
from millefeuille.errors import Corrupt, Unsupported

MAGIC: Final = b"MFLAYER\0"
VERSION: Final = 1
HASH_SIZE: Final = 32  # bytes

_HEADER: Final = struct.Struct("<8sIIQ")
_SECTION: Final = struct.Struct("<8sQQ")

Buffer = bytes | bytearray | memoryview


class CorruptIndex(Corrupt):
    """A layer index is not what was written."""


class UnknownIndexVersion(Unsupported):
    """A layer index was written by a newer or older version; it can be made again from the layer."""


def pack(sections: Sequence[tuple[bytes, Buffer]]) -> bytes:
    """The bytes of a container that holds `sections`, each a name of at most 8 bytes and its content."""
    offset = _HEADER.size + _SECTION.size * len(sections)
    table: list[Buffer] = []
    parts: list[Buffer] = []
    for name, content in sections:
        padding = -offset % 8
        offset += padding
        size = memoryview(content).nbytes
        table.append(_SECTION.pack(name, offset, size))
        parts += (bytes(padding), content)
        offset += size
    head = _HEADER.pack(MAGIC, VERSION, len(sections), offset + HASH_SIZE)
    hasher = blake3()
    everything: list[Buffer] = [head, *table, *parts]
    for part in everything:
        hasher.update(part)
    return b"".join([*everything, hasher.digest()])


def unpack(buffer: Buffer) -> dict[bytes, memoryview]:
    """The sections of a container, as views. Raises CorruptIndex, UnknownIndexVersion.

    Lengths and offsets are checked; the hash is not: that is `verify`.
    """
    view = memoryview(buffer)
    if len(view) < _HEADER.size + HASH_SIZE:
        raise CorruptIndex("the layer index is shorter than its header")
    magic, version, count, total = _HEADER.unpack_from(view)
    if magic != MAGIC:
        raise CorruptIndex("the layer index does not begin with its magic number")
    if version != VERSION:
        raise UnknownIndexVersion(f"the layer index has version {version}, this is version {VERSION}")
    if total != len(view):
        raise CorruptIndex(f"the layer index has {len(view)} bytes instead of {total}")
    start, end = _HEADER.size + _SECTION.size * count, total - HASH_SIZE
    if start > end:
        raise CorruptIndex("the layer index has a section table longer than itself")
    sections = {}
    for name, offset, size in _SECTION.iter_unpack(view[_HEADER.size : start]):
        if not start <= offset <= offset + size <= end:
            raise CorruptIndex(f"section {name.rstrip(bytes(1))!r} of the layer index lies outside of it")
        sections[name.rstrip(b"\0")] = view[offset : offset + size]
    return sections


def verify(buffer: Buffer) -> None:
    """Hold that a container has the bytes that were written. Raises CorruptIndex."""
    view = memoryview(buffer)
    if blake3(view[:-HASH_SIZE]).digest() != view[-HASH_SIZE:]:
        raise CorruptIndex("the layer index does not match its hash")


def column(content: memoryview, code: str) -> Sequence[int]:
    """A section as numbers of the struct type `code`, without a copy where the host is little-endian."""
    if sys.byteorder == "little" or code == "B":
        return _items(content, code)
    swapped = array(code, content.tobytes())
    swapped.byteswap()
    return swapped


def stride(rows: Buffer, code: str, position: int, row_size: int) -> bytes:
    """One column out of rows of `row_size` bytes: the field at `position`, counted in items of `code`."""
    items = _items(memoryview(rows), code)
    return items[position :: row_size // items.itemsize].tobytes()


def _items(view: memoryview, code: str) -> memoryview[int]:
    # The type of memoryview.cast knows only literal codes; ours come from a table.
    return cast("memoryview[int]", view.cast("B").cast(cast(Any, code)))
