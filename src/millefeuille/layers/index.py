"""The layer index: all that a tar says about its entries, in columns, in the order of the tar.

Written once while a layer streams by (`IndexBuilder`), then mapped and read in place (`LayerIndex`) by
whatever lists, searches, merges or analyses layers. It holds no bytes of files, but their hashes and where
they lie in the uncompressed tar.
"""

from __future__ import annotations

import mmap
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Final

from blake3 import blake3

from millefeuille.layers import columns
from millefeuille.layers.columns import Buffer, CorruptIndex
from millefeuille.layers.entry import FILE, NO_XATTRS, OPAQUE, WHITEOUT, Entry, SparseMap

BLOCK_SIZE: Final = 512  # bytes; headers and data always begin on a block of the tar
EMPTY_CONTENT: Final = blake3(b"").digest()

# One row while building. The fields are aligned, so that a column is a stride over all rows.
_ROW: Final = struct.Struct("<QqIIIIIIIIIHBx")
_FIELDS: Final = (  # section name, struct code, position in the row counted in items of that code
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
_FACTS: Final = struct.Struct("<QQQQQ")
_DEVICE: Final = struct.Struct("<III")
_POINT: Final = struct.Struct("<QQ")
_XATTR: Final = struct.Struct("<HI")
_POINT_SPACING: Final = 256 << 10  # bytes of tar between two known positions in the compressed stream


class IndexBuilder:
    """Collects entries in the order of the tar; `finish` gives the encoded index."""

    def __init__(self) -> None:
        self.content_size = 0
        self._count = 0
        self._rows = bytearray()
        self._paths = bytearray()
        self._hashes = bytearray()
        self._hash_count = 0
        self._links: list[bytes] = []
        self._xattrs: dict[tuple[tuple[bytes, bytes], ...], int] = {}
        self._devices = bytearray()
        self._sparse: list[int] = []
        self._points = bytearray()
        self._next_point = 0
        self._notes: list[bytes] = []
        self._facts = (0, 0, 0, 0)

    def __len__(self) -> int:
        return self._count

    def add(
        self,
        path: bytes,
        kind: int,
        mode: int,
        uid: int,
        gid: int,
        size: int,
        mtime: int,
        nsec: int,
        header: int,
        data: int,
        hashed: bool = False,
        link: bytes = b"",
        xattrs: Mapping[bytes, bytes] = NO_XATTRS,
    ) -> int:
        """Append an entry (the fields of `Entry`); its number.

        Positional, because it is called for every file of every layer. `hashed` promises that `add_hash`
        follows with the content's digest, before the next entry that is hashed.
        """
        number = self._count
        self._count = number + 1
        self._paths += path
        hash_number = link_number = xattr_number = 0
        if kind == FILE:
            self.content_size += size
            if hashed:
                self._hash_count = hash_number = self._hash_count + 1
        if link:
            self._links.append(link)
            link_number = len(self._links)
        if xattrs:
            xattr_number = self._xattrs.setdefault(tuple(sorted(xattrs.items())), len(self._xattrs) + 1)
        self._rows += _ROW.pack(
            size, mtime, uid, gid, nsec, link_number, xattr_number, header // BLOCK_SIZE,
            data // BLOCK_SIZE, len(self._paths), hash_number, mode, kind,
        )  # fmt: skip
        return number

    def add_hash(self, digest: bytes) -> None:
        """The blake3 digest (32 bytes) of the next entry that was added as `hashed`."""
        self._hashes += digest

    def add_device(self, number: int, major: int, minor: int) -> None:
        """Entry `number` is this device."""
        self._devices += _DEVICE.pack(number, major, minor)

    def add_sparse(self, number: int, extents: SparseMap) -> None:
        """Entry `number` is a sparse file with these runs of data."""
        self._sparse += (number, len(extents))
        for offset, length in extents:
            self._sparse += (offset, length)

    def add_point(self, tar: int, compressed: int) -> None:
        """Byte `tar` of the uncompressed layer lies near byte `compressed` of the blob; in rising order."""
        if tar >= self._next_point:
            self._points += _POINT.pack(tar, compressed)
            self._next_point = tar + _POINT_SPACING

    def add_note(self, code: str, path: bytes) -> None:
        """Something was dropped, or is unusual; `code` is a short word that says what."""
        self._notes.append(code.encode() + b" " + path)

    def set_facts(self, *, tar_size: int, end: int, compressed_size: int, lower_links: int) -> None:
        """What the parser knows at the end: see LayerIndex for the meaning. Sizes in bytes."""
        self._facts = (tar_size, end, compressed_size, lower_links)

    def finish(self, checkpoints: bytes = b"") -> bytes:
        """The encoded index. `checkpoints` is an optional table for inflating from the blob's middle."""
        sections: list[tuple[bytes, Buffer]] = [(b"facts", _FACTS.pack(*self._facts, self.content_size))]
        rows = bytes(self._rows)
        for name, code, position in _FIELDS:
            sections.append((name, columns.stride(rows, code, position, _ROW.size)))
        sections += self._tables(columns.column(memoryview(dict(sections)[b"pathend"]), "I"))
        if checkpoints:
            sections.append((b"inflate", checkpoints))
        return columns.pack(sections)

    def _tables(self, ends: Sequence[int]) -> list[tuple[bytes, Buffer]]:
        everything = bytes(self._paths)
        paths = [everything[a:b] for a, b in pairwise((0, *ends))]
        # Sorting is stable, so of entries with one path the last in the tar is the last here.
        order = sorted(range(len(paths)), key=paths.__getitem__)
        sets = [b"".join(_XATTR.pack(len(n), len(v)) + n + v for n, v in pairs) for pairs in self._xattrs]
        return [
            (b"path", everything),
            (b"order", struct.pack(f"<{len(order)}I", *order)),
            (b"hash", self._hashes),
            *_strings(b"links", self._links),
            *_strings(b"xsets", sets),
            (b"device", self._devices),
            (b"sparse", struct.pack(f"<{len(self._sparse)}Q", *self._sparse)),
            (b"points", self._points),
            *_strings(b"notes", self._notes),
        ]


class LayerIndex:
    """A layer index, read where it lies. Numbers of entries run from 0 in the order of the tar.

    The columns are sequences of int, one item for each entry: `kinds` (see `entry`), `modes`, `uids`,
    `gids`, `sizes` (bytes), `mtimes` (seconds), `nsecs`, `links` and `xattr_sets` (0 for none). Facts about
    the whole: `tar_size`, `end` (offset behind the end-of-archive blocks; what follows up to `tar_size` is
    not parsed), `compressed_size`, `content_size` (sum of the regular files), all in bytes; `lower_links`,
    the number of hard links that name a file which only a lower layer can have.
    """

    def __init__(self, buffer: Buffer | mmap.mmap) -> None:
        self._buffer = memoryview(buffer)
        self._sections = sections = columns.unpack(self._buffer)
        try:
            facts = _FACTS.unpack(sections[b"facts"])
            taken = {name: columns.column(sections[name], code) for name, code, _ in _FIELDS}
            self._order = columns.column(sections[b"order"], "I")
            self._paths = sections[b"path"]
            self._link_table = _Strings(sections, b"links")
            self._xattr_table = _Strings(sections, b"xsets")
            self._note_table = _Strings(sections, b"notes")
        except (KeyError, struct.error, TypeError) as error:
            raise CorruptIndex(f"the layer index lacks a part ({error})") from error
        self.tar_size, self.end, self.compressed_size, self.lower_links, self.content_size = facts
        self.sizes, self.mtimes = taken[b"size"], taken[b"mtime"]
        self.uids, self.gids, self.nsecs = taken[b"uid"], taken[b"gid"], taken[b"nsec"]
        self.modes, self.kinds = taken[b"mode"], taken[b"kind"]
        self.links, self.xattr_sets = taken[b"link"], taken[b"xattr"]
        self.header_blocks, self.data_blocks = taken[b"header"], taken[b"data"]
        self._path_ends, self._hash_numbers = taken[b"pathend"], taken[b"hashno"]
        if len({len(items) for items in (*taken.values(), self._order)}) != 1:
            raise CorruptIndex("the columns of the layer index differ in length")

    @classmethod
    def open(cls, path: str) -> LayerIndex:
        """Map the index at `path`. Raises CorruptIndex, UnknownIndexVersion, FileNotFoundError."""
        with open(path, "rb") as file:
            try:
                return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            except ValueError as error:  # an empty file cannot be mapped
                raise CorruptIndex("the layer index is empty") from error

    def verify(self) -> None:
        """Hold that these are the bytes that were written. Raises CorruptIndex."""
        columns.verify(self._buffer)

    def __len__(self) -> int:
        return len(self.kinds)

    def path(self, number: int) -> bytes:
        """Path of an entry, relative to the root; "" is the root."""
        start = self._path_ends[number - 1] if number else 0
        return bytes(self._paths[start : self._path_ends[number]])

    def paths(self) -> list[bytes]:
        """The paths of all entries, in order."""
        everything = bytes(self._paths)
        return [everything[a:b] for a, b in pairwise((0, *self._path_ends))]

    def link(self, number: int) -> bytes:
        """Target of a symlink as written, or the path that a hard link names; "" for other entries."""
        position = self.links[number]
        return self._link_table[position - 1] if position else b""

    def xattrs(self, number: int) -> Mapping[bytes, bytes]:
        """Extended attributes of an entry, by full name."""
        return self.xattr_set(self.xattr_sets[number])

    def xattr_set(self, number: int) -> Mapping[bytes, bytes]:
        """A set of extended attributes by its number in `xattr_sets`."""
        return _unpack_xattrs(self._xattr_table[number - 1]) if number else NO_XATTRS

    def content(self, number: int) -> bytes | None:
        """blake3 digest of a regular file's content; None for other entries and when none was taken."""
        position = self._hash_numbers[number]
        if position:
            return bytes(self._sections[b"hash"][32 * position - 32 : 32 * position])
        return EMPTY_CONTENT if self.kinds[number] == FILE and not self.sizes[number] else None

    def header_offset(self, number: int) -> int:
        """Where in the tar an entry's first header begins, its extension headers included."""
        return self.header_blocks[number] * BLOCK_SIZE

    def data_offset(self, number: int) -> int:
        """Where in the tar an entry's data begins; of a sparse file, its first run of data."""
        return self.data_blocks[number] * BLOCK_SIZE

    def compressed_offset(self, number: int) -> int:
        """About where in the compressed blob an entry begins."""
        return self._nearby(self.header_offset(number))

    def device(self, number: int) -> tuple[int, int]:
        """Major and minor number of a device entry; (0, 0) for others."""
        return self._devices.get(number, (0, 0))

    def sparse(self, number: int) -> SparseMap | None:
        """The runs of data of a sparse file; None for others."""
        return self._sparse_maps.get(number)

    def notes(self) -> list[tuple[str, bytes]]:
        """What the parser dropped or found unusual: a short word, and the path."""
        pairs = (note.partition(b" ") for note in self._note_table)
        return [(code.decode(), path) for code, _, path in pairs]

    def find(self, path: bytes) -> int | None:
        """Number of the entry that gives `path` its final state in this layer; whiteouts do not count."""
        position = bisect_right(self._order, path, key=self.path)
        while position:
            position -= 1
            number = self._order[position]
            if self.path(number) != path:
                return None
            if self.kinds[number] not in (WHITEOUT, OPAQUE):
                return number
        return None

    def below(self, directory: bytes) -> Iterator[int]:
        """Numbers of all entries under a directory, sorted by path; "" is the root."""
        prefix = directory + b"/" if directory else b""
        for position in range(bisect_left(self._order, prefix, key=self.path), len(self)):
            number = self._order[position]
            path = self.path(number)
            if not path.startswith(prefix):
                return
            if path:
                yield number

    def entry(self, number: int) -> Entry:
        """Everything about one entry, as a value."""
        return Entry(
            path=self.path(number),
            kind=self.kinds[number],
            size=self.sizes[number],
            mode=self.modes[number],
            uid=self.uids[number],
            gid=self.gids[number],
            mtime=self.mtimes[number],
            nsec=self.nsecs[number],
            header=self.header_offset(number),
            data=self.data_offset(number),
            link=self.link(number),
            device=self.device(number),
            content=self.content(number),
            sparse=self.sparse(number),
            xattrs=self.xattrs(number),
        )

    def checkpoints(self) -> memoryview | None:
        """The table for inflating from the blob's middle, where one was written."""
        return self._sections.get(b"inflate")

    @cached_property
    def _devices(self) -> dict[int, tuple[int, int]]:
        return {n: (major, minor) for n, major, minor in _DEVICE.iter_unpack(self._sections[b"device"])}

    @cached_property
    def _sparse_maps(self) -> dict[int, SparseMap]:
        items = iter(columns.column(self._sections[b"sparse"], "Q"))
        return {n: tuple((next(items), next(items)) for _ in range(next(items))) for n in items}

    def _nearby(self, tar: int) -> int:
        points: list[tuple[int, int]] = list(_POINT.iter_unpack(self._sections[b"points"]))
        points.append((self.tar_size, self.compressed_size))
        position = max(bisect_right(points, tar, key=lambda point: point[0]), 1)
        (before, low), (after, high) = points[position - 1], points[min(position, len(points) - 1)]
        return low + (high - low) * (tar - before) // (after - before) if after > before else low


class _Strings:
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


def _strings(name: bytes, items: Sequence[bytes]) -> tuple[tuple[bytes, Buffer], tuple[bytes, Buffer]]:
    ends = accumulate(map(len, items))
    return (name, b"".join(items)), (name + b"end", struct.pack(f"<{len(items)}I", *ends))


def _unpack_xattrs(encoded: bytes) -> Mapping[bytes, bytes]:
    found, at = {}, 0
    while at < len(encoded):
        name_size, value_size = _XATTR.unpack_from(encoded, at)
        middle = at + _XATTR.size + name_size
        found[encoded[at + _XATTR.size : middle]] = encoded[middle : middle + value_size]
        at = middle + value_size
    return found
