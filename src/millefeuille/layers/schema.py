"""How a layer index is laid out: its sections, its columns, its tables of strings."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from millefeuille.annotations import Final
from millefeuille.layers import columns
from millefeuille.layers.columns import Buffer

BLOCK_SIZE: Final = 512  # bytes; headers and data always begin on a block of the tar

# One row while building. The fields are aligned, so that a column is a stride over all rows.
ROW: Final = struct.Struct("<QqIIIIIIIIIHBx")
# The same with what most files share already packed: uid, gid, nsec, link and xattr; mode and kind.
FILE_ROW: Final = struct.Struct("<Qq20sIIII4s")
ROW_OWNER: Final = struct.Struct("<IIIII")
ROW_MODE: Final = struct.Struct("<HBx")
FIELDS: Final = (  # section name, struct code, position in the row counted in items of that code
    (b"size", "Q", 0),
    (b"mtime", "q", 1),
    (b"uid", "I", 4),
    (b"gid", "I", 5),
    (b"nsec", "I", 6),
    (b"link", "I", 7),
    (b"xattr", "I", 8),
    (b"header", "I", 9),
    (b"data", "I", 10),
    (b"pathend", "I", 11),
    (b"hashno", "I", 12),
    (b"mode", "H", 26),
    (b"kind", "B", 54),
)
FACTS: Final = struct.Struct("<QQQQQ")
DEVICE: Final = struct.Struct("<III")
POINT: Final = struct.Struct("<QQ")
XATTR: Final = struct.Struct("<HI")
POINT_SPACING: Final = 256 << 10  # bytes of tar between two known positions in the compressed stream


class Strings:
    """A table of byte strings: their content in one section, where each ends in another."""

    def __init__(self, sections: Mapping[bytes, memoryview], name: bytes) -> None:
        self._content = sections[name]
        self._ends = columns.column(sections[name + b"end"], "I")

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, number: int) -> bytes:
        start = self._ends[number - 1] if number else 0
        return bytes(self._content[start : self._ends[number]])

    def __iter__(self) -> Iterator[bytes]:
        return (self[number] for number in range(len(self)))


def strings(name: bytes, items: Sequence[bytes]) -> tuple[tuple[bytes, Buffer], tuple[bytes, Buffer]]:
    """The two sections of a table of strings."""
    ends = accumulate(map(len, items))
    return (name, b"".join(items)), (name + b"end", struct.pack(f"<{len(items)}I", *ends))


def pack_xattrs(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A set of extended attributes as one string."""
    return b"".join(XATTR.pack(len(name), len(value)) + name + value for name, value in pairs)


def unpack_xattrs(encoded: bytes) -> Mapping[bytes, bytes]:
    """The extended attributes in such a string."""
    found, at = {}, 0
    while at < len(encoded):
        name_size, value_size = XATTR.unpack_from(encoded, at)
        middle = at + XATTR.size + name_size
        found[encoded[at + XATTR.size : middle]] = encoded[middle : middle + value_size]
        at = middle + value_size
    return found
