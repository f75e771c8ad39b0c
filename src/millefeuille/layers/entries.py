"""From headers to entries: what each type of a tar becomes in the index, and what is dropped."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Final, NamedTuple
from millefeuille.layers import plain
from millefeuille.layers.entry import (
    BLOCK,
    CHARACTER,
    DIRECTORY,
    FIFO,
    FILE,
    HARDLINK,
    NO_XATTRS,
    OPAQUE,
    SYMLINK,
    WHITEOUT,
    SparseMap,
)
from millefeuille.layers.header import Fields, Header, device_numbers
from millefeuille.layers.index_builder import IndexBuilder
from millefeuille.layers.names import Names
from millefeuille.layers.refusal import Limits, TarError

HEADER_ONLY: Final = frozenset((b"1", b"2", b"3", b"4", b"5", b"6"))  # their size says nothing about data
_KINDS: Final = {
    b"0": FILE, b"\0": FILE, b"7": FILE, b"S": FILE, b"1": HARDLINK, b"2": SYMLINK, b"3": CHARACTER,
    b"4": BLOCK, b"5": DIRECTORY, b"6": FIFO, b"D": DIRECTORY,
}  # fmt: skip
_REFUSED: Final = {b"M": "a part of a multi-volume file", b"N": "an old GNU long name"}
_IGNORED: Final = {b"V": "volume-label", b"A": "acl", b"E": "attributes", b"s": "socket"}
_SLASH: Final = ord("/")
NOTES_MAXIMUM: Final = 1000


class Counts(NamedTuple):
    """What of the limits is used: headers, bytes of metadata, and bytes that sparse files stand for."""

    headers: int
    metadata: int
    holes: int


class Entries:
    """Puts entries into an index builder, in the order of the tar, and holds them against the limits."""

    def __init__(self, builder: IndexBuilder, limits: Limits, *, hash_contents: bool) -> None:
        self.lower_links = 0
        self._builder = builder
        self._limits = limits
        self._hash_contents = hash_contents
        self.names = Names(limits)
        self._headers = 0
        self._headers_maximum = limits.entries
        self._metadata = 0
        self._metadata_maximum = limits.metadata
        self._holes = 0
        self._notes = 0

    def add(self, fields: Fields, start: int, data: int, nsec: int, xattrs: Mapping[bytes, bytes]) -> bool:
        """Take an entry whose headers begin at `start` and whose data at `data`, offsets in the tar.

        True when the content is to be hashed. Raises TarError.
        """
        name, mode, uid, gid, size, mtime, flag, _link, _device, _gnu = fields
        kind = _KINDS.get(flag)
        if not name:
            raise TarError("name", "an entry has no name")
        if kind != FILE or name[-1] == _SLASH:
            return self._add_special(Header._make(fields), kind, start, data, nsec, xattrs)
        placed = self.names.place(name, FILE)
        if placed is None:
            return self.note("aufs", name)
        path, kind = placed
        self._headers += 1
        self._metadata += len(path)
        if self._headers > self._headers_maximum or self._metadata > self._metadata_maximum:
            self.count(0)
        if kind != FILE:
            return self._add_mark(path, kind, start, data)
        if size > self._limits.size:
            raise TarError("size", f"an entry has {size} bytes", path)
        hashed = size > 0 and self._hash_contents
        self._builder.add(path, FILE, mode, uid, gid, size, mtime, nsec, start, data, hashed, b"", xattrs)
        if xattrs:
            self._count_xattrs(xattrs)
        return hashed

    def add_plain(self, view: memoryview, at: int, offset: int, largest: int) -> int:
        """Take the plain files that a piece at `offset` of the tar has from `at` on; where they end.

        They have at most `largest` bytes each. Raises TarError.
        """
        if not self._hash_contents:
            return at
        counts = (self._headers, self._metadata)
        at, count, size = plain.take(
            view, at, offset, self._builder, self.names, self._limits, counts, largest
        )
        self._headers += count
        self._metadata += size
        return at

    def add_sparse(
        self,
        header: Header,
        start: int,
        data: int,
        nsec: int,
        xattrs: Mapping[bytes, bytes],
        runs: SparseMap,
    ) -> bool:
        """Take a sparse file whose real size the header has; as `add`."""
        self._holes += header.size
        if self._holes > self._limits.expanded:
            raise TarError("size", f"its sparse files exceed {self._limits.expanded} bytes", header.name)
        self.count(16 * len(runs))
        number = len(self._builder)
        hashed = self.add(header._replace(kind=b"0"), start, data, nsec, xattrs)
        if hashed or (header.size and not self._hash_contents):
            self._builder.add_sparse(number, runs)
        return hashed

    @property
    def counts(self) -> Counts:
        """What has been used of the limits so far."""
        return Counts(self._headers, self._metadata, self._holes)

    def have_room(self, more: Counts) -> bool:
        """Whether the limits allow so much more."""
        limits, headers, metadata, holes = self._limits, *map(sum, zip(self.counts, more, strict=True))
        return headers <= limits.entries and metadata <= limits.metadata and holes <= limits.expanded

    def note(self, code: str, path: bytes) -> bool:
        """Remember that something was dropped or is unusual; always False."""
        self._notes += 1
        if self._notes <= NOTES_MAXIMUM:
            self._builder.add_note(code, path[:4096])
        return False

    def count(self, size: int) -> None:
        """An entry was met that takes `size` bytes of metadata. Raises TarError."""
        self._headers += 1
        self._metadata += size
        if self._headers > self._limits.entries:
            raise TarError("entries", f"it has more than {self._limits.entries} entries")
        if self._metadata > self._limits.metadata:
            raise TarError("metadata", f"its names need more than {self._limits.metadata} bytes")

    def _add_special(
        self,
        header: Header,
        kind: int | None,
        start: int,
        data: int,
        nsec: int,
        xattrs: Mapping[bytes, bytes],
    ) -> bool:
        name, flag = header.name, header.kind
        if kind is None:
            if flag in _REFUSED:
                raise TarError("type", f"it holds {_REFUSED[flag]}", name)
            if flag in _IGNORED:
                self.count(0)
                return self.note(_IGNORED[flag], name)
            self.note("type", name)
            if name[-1:] != b"/":  # POSIX: an unknown type is read as a regular file
                return self.add(header._replace(kind=b"0"), start, data, nsec, xattrs)
        if kind in (FILE, None):
            if header.size:
                raise TarError("type", "a regular file's name ends with a slash", name)
            kind = DIRECTORY
        if kind == HARDLINK:
            return self._add_link(header, start, data)
        return self._add_other(header, kind or FILE, start, data, nsec, xattrs)

    def _add_other(
        self, header: Header, kind: int, start: int, data: int, nsec: int, xattrs: Mapping[bytes, bytes]
    ) -> bool:
        name, link, device = header.name, b"", (0, 0)
        if kind == DIRECTORY and name[-1] == _SLASH:
            name = name[:-1] or name
        elif kind == SYMLINK:
            link = header.link
        elif kind in (CHARACTER, BLOCK):
            device = device_numbers(header.device)
            if (kind, device) == (CHARACTER, (0, 0)):
                self.count(0)
                return self.note("device-0-0", name)
        self.count(len(name) + len(link))
        placed = self.names.place(name, kind, link)
        if placed is None:
            return self.note("aufs", name)
        path, mark = placed
        if mark in (WHITEOUT, OPAQUE):
            return self._add_mark(path, mark, start, data)
        if kind == SYMLINK and not 0 < len(link) <= self._limits.path:
            raise TarError("link", f"a symlink has a target of {len(link)} bytes", path)
        number = self._builder.add(
            path, kind, header.mode, header.uid, header.gid, 0, header.mtime, nsec, start, data, False, link,
            xattrs,
        )  # fmt: skip
        if device != (0, 0):
            self._builder.add_device(number, *device)
        self._count_xattrs(xattrs)
        return False

    def _add_link(self, header: Header, start: int, data: int) -> bool:
        self.count(len(header.name) + len(header.link))
        placed = self.names.place_link(header.name, header.link)
        if placed is None:
            return self.note("aufs", header.name)
        (path, kind), target, lower = placed
        self.lower_links += lower
        if kind != HARDLINK:
            return self._add_mark(path, kind, start, data)
        self._builder.add(
            path, kind, header.mode, header.uid, header.gid, 0, header.mtime, 0, start, data, False, target,
            NO_XATTRS,
        )  # fmt: skip
        return False

    def _add_mark(self, path: bytes, mark: int, start: int, data: int) -> bool:
        self._builder.add(path, mark, 0, 0, 0, 0, 0, 0, start, data)
        return False

    def _count_xattrs(self, xattrs: Mapping[bytes, bytes]) -> None:
        self._metadata += sum(len(name) + len(value) for name, value in xattrs.items())
