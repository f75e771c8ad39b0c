"""Making a layer index while a layer streams by."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise

from millefeuille.layers import columns
from millefeuille.layers.columns import Buffer
from millefeuille.layers.entry import FILE, NO_XATTRS, SparseMap
from millefeuille.layers.schema import (
    BLOCK_SIZE,
    DEVICE,
    FACTS,
    FIELDS,
    POINT,
    POINT_SPACING,
    ROW,
    pack_xattrs,
    strings,
)


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
        self, path: bytes, kind: int, mode: int, uid: int, gid: int, size: int, mtime: int, nsec: int,
        header: int, data: int, hashed: bool = False, link: bytes = b"",
        xattrs: Mapping[bytes, bytes] = NO_XATTRS,
    ) -> int:  # fmt: skip
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
        self._rows += ROW.pack(
            size, mtime, uid, gid, nsec, link_number, xattr_number, header // BLOCK_SIZE,
            data // BLOCK_SIZE, len(self._paths), hash_number, mode, kind,
        )  # fmt: skip
        return number

    @property
    def path_size(self) -> int:
        """The bytes of all paths so far."""
        return len(self._paths)

    @property
    def hash_count(self) -> int:
        """How many entries have been added as hashed."""
        return self._hash_count

    def add_files(
        self, rows: Sequence[bytes], paths: Sequence[bytes], hashes: Sequence[bytes], content_size: int
    ) -> None:
        """Append regular files, each with its packed row and path; the hashes of those that have content."""
        self._rows += b"".join(rows)
        self._paths += b"".join(paths)
        self._hashes += b"".join(hashes)
        self._count += len(rows)
        self._hash_count += len(hashes)
        self.content_size += content_size

    def add_hash(self, digest: bytes) -> None:
        """The blake3 digest (32 bytes) of the next entry that was added as `hashed`."""
        self._hashes += digest

    def add_device(self, number: int, major: int, minor: int) -> None:
        """Entry `number` is this device."""
        self._devices += DEVICE.pack(number, major, minor)

    def add_sparse(self, number: int, extents: SparseMap) -> None:
        """Entry `number` is a sparse file with these runs of data."""
        self._sparse += (number, len(extents))
        for offset, length in extents:
            self._sparse += (offset, length)

    def add_point(self, tar: int, compressed: int) -> None:
        """Byte `tar` of the uncompressed layer lies near byte `compressed` of the blob; in rising order."""
        if tar >= self._next_point:
            self._points += POINT.pack(tar, compressed)
            self._next_point = tar + POINT_SPACING

    def add_note(self, code: str, path: bytes) -> None:
        """Something was dropped, or is unusual; `code` is a short word that says what."""
        self._notes.append(code.encode() + b" " + path)

    def set_facts(self, *, tar_size: int, end: int, compressed_size: int, lower_links: int) -> None:
        """What the parser knows at the end: see LayerIndex for the meaning. Sizes in bytes."""
        self._facts = (tar_size, end, compressed_size, lower_links)

    def finish(self, checkpoints: bytes = b"", *, ordered: bool = True) -> bytes:
        """The encoded index. `checkpoints` is an optional table for inflating from the blob's middle.

        One that is not `ordered` is for a reader who may never ask for the order of its paths.
        """
        sections = self.sections()
        if ordered:
            sections.append((b"order", self._order(dict(sections)[b"pathend"])))
        if checkpoints:
            sections.append((b"inflate", checkpoints))
        return columns.pack(sections)

    def _order(self, path_ends: Buffer) -> bytes:
        ends = columns.column(memoryview(path_ends), "I")
        everything = bytes(self._paths)
        paths = [everything[a:b] for a, b in pairwise((0, *ends))]
        # Sorting is stable, so of entries with one path the last in the tar is the last here.
        order = sorted(range(len(paths)), key=paths.__getitem__)
        return struct.pack(f"<{len(order)}I", *order)

    def sections(self) -> list[tuple[bytes, Buffer]]:
        """The sections of the index, but for the order of its paths."""
        rows = memoryview(self._rows)
        return [
            (b"facts", FACTS.pack(*self._facts, self.content_size)),
            *((name, columns.stride(rows, code, position, ROW.size)) for name, code, position in FIELDS),
            (b"path", self._paths),
            (b"hash", self._hashes),
            *strings(b"links", self._links),
            *strings(b"xsets", list(map(pack_xattrs, self._xattrs))),
            (b"device", self._devices),
            (b"sparse", struct.pack(f"<{len(self._sparse)}Q", *self._sparse)),
            (b"points", self._points),
            *strings(b"notes", self._notes),
        ]
