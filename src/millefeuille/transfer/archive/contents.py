"""Contents: the members of an archive, found by name, read where they lie.

A name in an archive is only ever a key of a table: no member is unpacked, nothing is opened by its name. The
headers are read by the one tar parser; contents are passed over.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator

from millefeuille.annotations import Final
from millefeuille.errors import Corrupt, Invalid
from millefeuille.layers.entry import DIRECTORY, FILE, HARDLINK, SYMLINK
from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.refusal import Limits, TarError
from millefeuille.layers.tar import TarParser
from millefeuille.values import dataclass

_PIECE: Final = 16 << 10  # bytes read at a member's header; what lies behind a long content is not read
_LIMITS: Final = Limits(entries=200_000, metadata=64 << 20)
_HOPS: Final = 8  # links followed from one name
_SHOWN: Final = 200  # characters of a name that an error shows


class BadArchive(Invalid):
    """The file is no archive of images, or one that breaks a rule."""


class ShortArchive(Corrupt):
    """The archive ends too soon; the message is Docker's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A regular file in an archive: `size` bytes from `offset` on."""

    name: str
    offset: int
    size: int


class MemberStream:
    """The bytes of a member, from `offset` of it on."""

    def __init__(self, descriptor: int, member: Member, offset: int = 0) -> None:
        self.offset = offset
        self._descriptor = descriptor
        self._at = member.offset + offset
        self._size = member.size
        self._end = member.offset + member.size

    def readinto(self, buffer: bytearray) -> int:
        """Fill (a part of) `buffer`; the number of bytes, 0 at the end. Raises ShortArchive."""
        wanted = min(len(buffer), self._end - self._at)
        if wanted <= 0:
            return 0
        count = os.preadv(self._descriptor, [memoryview(buffer)[:wanted]], self._at)
        if not count:
            raise ShortArchive("unexpected EOF")
        self._at += count
        return count

    @property
    def size(self) -> int:
        """The bytes of the whole member."""
        return self._size

    def read_at(self, count: int, at: int) -> bytes:
        """Up to `count` bytes of the member, from `at` on, wherever the stream is."""
        begin = self._end - self._size
        return os.pread(self._descriptor, min(count, self._size - at), begin + at)

    def pieces(self, largest: int, begin: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """The member from `begin` to `end` in pieces, with where each begins. Raises ShortArchive."""
        end = self._size if end is None else end
        while begin < end:
            piece = self.read_at(min(largest, end - begin), begin)
            if not piece:
                raise ShortArchive("unexpected EOF")
            yield begin, piece
            begin += len(piece)

    def close(self) -> None:
        """Nothing: the archive stays open."""


class Contents:
    """The table of an archive. `descriptor` is a plain tar that can be read at any offset."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._files: dict[str, Member] = {}
        self._links: dict[str, str] = {}
        index = _scan(descriptor)
        for number, path in enumerate(index.paths()):
            self._enter(index, number, path.decode("utf-8", "surrogateescape"))

    def __iter__(self) -> Iterator[Member]:
        return iter(self._files.values())

    def __contains__(self, name: str) -> bool:
        return self.find(name) is not None

    def find(self, name: str) -> Member | None:
        """The regular file that a name means, after the links of the archive."""
        path = _plain(name)
        for _ in range(_HOPS):
            if path is None or path in self._files:
                break
            target = self._links.get(path)
            path = _plain(target) if target is not None else None
        return self._files.get(path) if path is not None else None

    def member(self, name: str) -> Member:
        """As `find`. Raises BadArchive when there is none."""
        found = self.find(name)
        if found is None:
            shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..."
            raise BadArchive(f"invalid archive: no file {shown!r} in it")
        return found

    def read(self, name: str, maximum: int) -> bytes:
        """A small member's bytes. Raises BadArchive when it is missing or larger than `maximum` bytes."""
        member = self.member(name)
        if member.size > maximum:
            raise BadArchive(f"invalid archive: {name} is larger than {maximum} bytes")
        data = bytearray(member.size)
        stream, at = self.open(member), 0
        while at < member.size:
            part = bytearray(member.size - at)
            count = stream.readinto(part)
            data[at : at + count] = part[:count]
            at += count
        return bytes(data)

    def open(self, member: Member, offset: int = 0) -> MemberStream:
        """A member's bytes from `offset` on. May be called by several threads."""
        return MemberStream(self._descriptor, member, offset)

    def _enter(self, index: LayerIndex, number: int, path: str) -> None:
        kind = index.kinds[number]
        if kind == DIRECTORY:
            return
        if path in self._files or path in self._links:
            raise BadArchive(f"invalid archive: {path!r} is in it twice")
        if kind == FILE:
            if index.sparse(number) is not None:
                raise BadArchive(f"invalid archive: {path!r} is a sparse file")
            member = Member(name=path, offset=index.data_offset(number), size=index.sizes[number])
            self._files[path] = member
        elif kind in (SYMLINK, HARDLINK):
            link = index.link(number).decode("utf-8", "surrogateescape")
            base = posixpath.dirname(path) if kind == SYMLINK else ""
            self._links[path] = posixpath.join(base, link)


def _plain(name: str) -> str | None:
    """A name as the table has it; None for one that leads out of the archive."""
    path = posixpath.normpath(name)
    return None if path.startswith(("/", "..")) else path


def _scan(descriptor: int) -> LayerIndex:
    builder = IndexBuilder()
    parser = TarParser(builder, limits=_LIMITS, hash_contents=False)
    size = os.fstat(descriptor).st_size
    at = 0
    try:
        while at < size and not parser.ended:
            piece = os.pread(descriptor, _PIECE, at)
            if not piece:
                break
            parser.feed(piece)
            at += len(piece)
            at += parser.skip()
        if at > size:
            raise ShortArchive("unexpected EOF")
        parser.finish()
    except TarError as error:
        if error.rule in ("truncated", "extension") and at >= size:
            raise ShortArchive("unexpected EOF") from error
        raise _invalid(error) from error
    return LayerIndex(builder.finish())


def check_begin(block: bytes) -> None:
    """Refuse by its first block what cannot be an archive of images. Raises BadArchive."""
    if not block.strip(b"\0"):
        raise unrecognized()
    try:
        TarParser(IndexBuilder(), limits=_LIMITS, hash_contents=False).feed(block)
    except TarError as error:
        raise _invalid(error) from error


def unrecognized() -> BadArchive:
    """The error for an archive without any document of an image."""
    return BadArchive(
        "unrecognized image format",
        advice="It holds none of index.json, manifest.json and repositories."
        " A file system without an image is brought in by `mille import`.",
    )


def _invalid(error: TarError) -> BadArchive:
    return BadArchive(f"invalid archive: {str(error).partition(': ')[2]}")
