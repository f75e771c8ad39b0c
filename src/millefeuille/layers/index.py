"""The layer index: all that a tar says about its entries, in columns, in the order of the tar.

Written once while a layer streams by (`IndexBuilder`), then mapped and read in place (`LayerIndex`) by
whatever lists, searches, merges or analyses layers. It holds no bytes of files, but their hashes and where
they lie in the uncompressed tar.
"""

from __future__ import annotations

import mmap
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cached_property
from itertools import compress, count, pairwise

from blake3 import blake3

from millefeuille.annotations import AnyStr, Final
from millefeuille.layers import columns
from millefeuille.layers.columns import Buffer, CorruptIndex
from millefeuille.layers.entry import FILE, NO_XATTRS, OPAQUE, WHITEOUT, Entry, SparseMap
from millefeuille.layers.index_builder import IndexBuilder
from millefeuille.layers.schema import BLOCK_SIZE, DEVICE, FACTS, FIELDS, POINT, Strings, unpack_xattrs

__all__ = ["BLOCK_SIZE", "EMPTY_CONTENT", "IndexBuilder", "LayerIndex"]

EMPTY_CONTENT: Final = blake3(b"").digest()


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
        self._read(columns.unpack(self._buffer))

    @classmethod
    def made(cls, builder: IndexBuilder) -> LayerIndex:
        """The index of what a builder has collected, for as long as this process needs it."""
        return cls.of({name: memoryview(content) for name, content in builder.sections()})

    @classmethod
    def of(cls, sections: dict[bytes, memoryview]) -> LayerIndex:
        """The index with these sections, which nothing has to be written for."""
        made = cls.__new__(cls)
        made._buffer = memoryview(b"")
        made._read(sections)
        return made

    def _read(self, sections: dict[bytes, memoryview]) -> None:
        self._sections = sections
        try:
            facts = FACTS.unpack(sections[b"facts"])
            taken = {name: columns.column(sections[name], code) for name, code, _ in FIELDS}
            self._paths = sections[b"path"]
            if len(sections[b"hash"]) % len(EMPTY_CONTENT):
                raise CorruptIndex("a hash in the layer index is cut short")
            self._link_table = Strings(sections, b"links")
            self._xattr_table = Strings(sections, b"xsets")
            self._note_table = Strings(sections, b"notes")
        except (KeyError, struct.error, TypeError) as error:
            raise CorruptIndex(f"the layer index lacks a part ({error})") from error
        self.tar_size: int
        self.compressed_size: int
        self.content_size: int
        self.tar_size, self.end, self.compressed_size, self.lower_links, self.content_size = facts
        self.sizes, self.mtimes = taken[b"size"], taken[b"mtime"]
        self.uids, self.gids, self.nsecs = taken[b"uid"], taken[b"gid"], taken[b"nsec"]
        self.modes, self.kinds = taken[b"mode"], taken[b"kind"]
        self.links, self.xattr_sets = taken[b"link"], taken[b"xattr"]
        self.header_blocks, self.data_blocks = taken[b"header"], taken[b"data"]
        self._path_ends, self._hash_numbers = taken[b"pathend"], taken[b"hashno"]
        lengths = {len(items) for items in taken.values()}
        if b"order" in sections:
            self.order = columns.column(sections[b"order"], "I")
            lengths.add(len(self.order))
        if len(lengths) != 1:
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
        return self.sliced(self.all_paths())

    def all_paths(self) -> bytes:
        """The paths of all entries, one behind the other."""
        return bytes(self._paths)

    def sliced(self, paths: AnyStr) -> list[AnyStr]:
        """What `all_paths` gives, or a text with a character for each of its bytes, cut into the paths."""
        return [paths[a:b] for a, b in pairwise((0, *self._path_ends))]

    def link(self, number: int) -> bytes:
        """Target of a symlink as written, or the path that a hard link names; "" for other entries."""
        position = self.links[number]
        return self._link_table[position - 1] if position else b""

    def xattrs(self, number: int) -> Mapping[bytes, bytes]:
        """Extended attributes of an entry, by full name."""
        return self.xattr_set(self.xattr_sets[number])

    def xattr_set(self, number: int) -> Mapping[bytes, bytes]:
        """A set of extended attributes by its number in `xattr_sets`."""
        return unpack_xattrs(self._xattr_table[number - 1]) if number else NO_XATTRS

    def all_xattr_sets(self) -> list[Mapping[bytes, bytes]]:
        """The different sets of extended attributes, by their numbers in `xattr_sets`."""
        return [self.xattr_set(number) for number in range(len(self._xattr_table) + 1)]

    def content(self, number: int) -> bytes | None:
        """blake3 digest of a regular file's content; None for other entries and when none was taken."""
        position = self._hash_numbers[number]
        if position:
            return bytes(self._sections[b"hash"][32 * position - 32 : 32 * position])
        return EMPTY_CONTENT if self.kinds[number] == FILE and not self.sizes[number] else None

    def contents(self) -> list[bytes]:
        """For each entry the blake3 digest of its content, b"" where none was taken."""
        hashes = bytes(self._sections[b"hash"])
        table = [b"", *(hashes[at : at + 32] for at in range(0, len(hashes), 32))]
        return [table[number] for number in self._hash_numbers]

    def with_contents(self, digests: Mapping[int, bytes]) -> LayerIndex:
        """The same index with other digests for the contents of some entries, all of which were hashed."""
        hashes = bytearray(self._sections[b"hash"])
        for entry, digest in digests.items():
            position = self._hash_numbers[entry]
            hashes[32 * position - 32 : 32 * position] = digest
        return LayerIndex.of({**self._sections, b"hash": memoryview(hashes)})

    def content_marks(self) -> Sequence[int]:
        """Of each content that was hashed, in the order of the tar, a number: equal for equal contents, and
        hardly ever for others.
        """
        return columns.column(self._sections[b"hash"], "Q")[::4]

    def with_marks(self, marks: Set[int]) -> list[int]:
        """The entries whose content has one of these numbers in `content_marks`."""
        numbers = set(compress(count(1), map(marks.__contains__, self.content_marks())))
        if not numbers:
            return []
        return list(compress(count(), map(numbers.__contains__, self._hash_numbers)))

    @cached_property
    def order(self) -> Sequence[int]:
        """The numbers of all entries, sorted by path; of those with one path, in the order of the tar."""
        return sorted(range(len(self)), key=self.paths().__getitem__)

    @property
    def points(self) -> list[tuple[int, int]]:
        """Offsets in the tar, rising, each with about where in the compressed blob it lies; both ends too."""
        return self._points

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
        return self.sparse_maps.get(number)

    def notes(self) -> list[tuple[str, bytes]]:
        """What the parser dropped or found unusual: a short word, and the path."""
        pairs = (note.partition(b" ") for note in self._note_table)
        return [(code.decode(), path) for code, _, path in pairs]

    def find(self, path: bytes) -> int | None:
        """Number of the entry that gives `path` its final state in this layer; whiteouts do not count."""
        position = bisect_right(self.order, path, key=self.path)
        while position:
            position -= 1
            number = self.order[position]
            if self.path(number) != path:
                return None
            if self.kinds[number] not in (WHITEOUT, OPAQUE):
                return number
        return None

    def below(self, directory: bytes) -> Iterator[int]:
        """Numbers of all entries under a directory, sorted by path; "" is the root."""
        prefix = directory + b"/" if directory else b""
        for position in range(bisect_left(self.order, prefix, key=self.path), len(self)):
            number = self.order[position]
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
        return {n: (major, minor) for n, major, minor in DEVICE.iter_unpack(self._sections[b"device"])}

    @cached_property
    def sparse_maps(self) -> dict[int, SparseMap]:
        """The runs of data of all sparse files, by the numbers of their entries."""
        items = iter(columns.column(self._sections[b"sparse"], "Q"))
        return {n: tuple((next(items), next(items)) for _ in range(next(items))) for n in items}

    @cached_property
    def _points(self) -> list[tuple[int, int]]:
        points: list[tuple[int, int]] = list(POINT.iter_unpack(self._sections[b"points"]))
        return [*points, (self.tar_size, self.compressed_size)]

    def _nearby(self, tar: int) -> int:
        points = self._points
        position = max(bisect_right(points, tar, key=lambda point: point[0]), 1)
        (before, low), (after, high) = points[position - 1], points[min(position, len(points) - 1)]
        return low + (high - low) * (tar - before) // (after - before) if after > before else low
