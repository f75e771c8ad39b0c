"""The one tar parser: a layer's bytes in, in pieces of any size; entries of its index out.

Strict, because two readers that see different files in one tar are a way to hide things: what other
readers disagree about is refused, not guessed (rules in docs/layers.md). Formats: V7, ustar, GNU (long
names, sparse files), PAX (global headers, extended attributes, sparse files), star.

Content is never copied: it goes as views of the pieces to the hash of its file.
"""

from __future__ import annotations

from collections.abc import Callable

from blake3 import blake3

from millefeuille.annotations import Protocol
from millefeuille.layers import compression, sparse
from millefeuille.layers import header as headers
from millefeuille.layers.entries import HEADER_ONLY, Entries
from millefeuille.layers.entry import NO_XATTRS, SparseMap
from millefeuille.layers.extensions import EXTENSION_TYPES, Extended, Extensions
from millefeuille.layers.glance import ABOVE, Glance
from millefeuille.layers.header import BLOCK_SIZE, ZERO_BLOCK, Fields, Header
from millefeuille.layers.index_builder import IndexBuilder
from millefeuille.layers.refusal import Limits, TarError
from millefeuille.layers.sparse import SparseContent, SparseMember
from millefeuille.values import replace

__all__ = ["Limits", "TarError", "TarParser"]


class _Hasher(Protocol):
    def update(self, data: memoryview, /) -> object: ...

    def digest(self) -> bytes: ...


class TarParser:
    """Feed the tar in order, then finish. Both raise TarError; then the parser is of no further use."""

    def __init__(
        self, builder: IndexBuilder, *, limits: Limits | None = None, hash_contents: bool = True,
        glance: bool = False, offset: int = 0,
    ) -> None:  # fmt: skip
        """Begin. `offset` is where in the tar the first piece lies, which has to be the begin of an entry.

        With `glance`, large contents are not hashed in full (`layers/glance.py`).
        """
        self._builder = builder
        self._limits = limits or Limits()
        self._largest = min(self._limits.size, ABOVE) if glance else self._limits.size
        self.entries = Entries(builder, self._limits, hash_contents=hash_contents)
        self._extensions = Extensions(self._limits)
        self._offset = offset  # bytes of tar before the present piece
        self._consumed = offset
        self._take: Callable[[memoryview, int], int] = self._take_header
        self._partial = bytearray()  # of a block, or of an extension, that lies in several pieces
        self._left = 0  # bytes of the present content or extension
        self._padding = 0  # bytes to pass over behind them
        self._hasher: _Hasher | None = None
        self._sparse: tuple[Extended, SparseMember] | None = None
        self._zero_blocks = 0
        self._end = 0

    def feed(self, piece: bytes | memoryview, consumed: int = 0) -> None:
        """Take the next piece. `consumed` compressed bytes had to be read for it, from the blob's start."""
        view = memoryview(piece)
        self._builder.add_point(self._offset, self._consumed)
        self._consumed = consumed
        at, end = 0, len(view)
        while at < end:
            at = self._take(view, at)
        self._offset += end

    def skip(self) -> int:
        """Pass over the data that comes next, which the caller need not read; its bytes.

        Only for a parser that hashes no contents.
        """
        if self._take != self._take_padding:
            return 0
        passed = self._left + self._padding
        self._left = self._padding = 0
        self._offset += passed
        self._take = self._take_header
        return passed

    @property
    def ended(self) -> bool:
        """Whether the blocks that end the tar have been met."""
        return self._zero_blocks == 2

    @property
    def between_entries(self) -> bool:
        """Whether the next byte begins an entry, and no header before it bears on that."""
        inside = self._partial or self._left or self._padding or self._sparse or self._zero_blocks
        extended = self._extensions.waiting or self._extensions.apply_needed
        return self._take == self._take_header and not inside and not extended

    def finish(self) -> None:
        """The tar ends here. Raises TarError when it ends inside of an entry.

        What fills up the last block may be missing, as Go's reader and GNU tar have it: some writers leave a
        tar without it.
        """
        if self._partial or self._left or self._sparse:
            if self._offset < BLOCK_SIZE:
                _refuse_compressed(self._partial)
            raise TarError("truncated", "it ends in the middle of an entry")
        if self._extensions.waiting:
            raise TarError("extension", "an extension header has no entry behind it")
        if self._zero_blocks < 2:
            self._end = self._offset
            self.entries.note("end", b"")
        self._builder.set_facts(
            tar_size=self._offset,
            end=self._end,
            compressed_size=self._consumed,
            lower_links=self.entries.lower_links,
        )

    # Each of the methods named _take... takes bytes from `view` at `at`, and returns where it stopped.

    def _take_header(self, view: memoryview, at: int) -> int:
        if self._partial or len(view) - at < BLOCK_SIZE:
            block, at = self._complete(view, at)
            return at if block is None else self._header(block, view, at)
        while self._take == self._take_header and len(view) - at >= BLOCK_SIZE:
            if not self._zero_blocks and not self._extensions.apply_needed:
                at = self.entries.add_plain(view, at, self._offset, self._largest)
                if len(view) - at < BLOCK_SIZE:
                    return self._take_header(view, at) if at < len(view) else at
            at = self._header(view[at : at + BLOCK_SIZE], view, at + BLOCK_SIZE)
        return at

    def _header(self, block: memoryview, view: memoryview, at: int) -> int:
        """A header block that ends at `at`; takes the data behind it too, where all of it is here."""
        if not block[0] and block == ZERO_BLOCK:
            self._zero_block(self._offset + at)
            return at
        try:
            fields = headers.decode(block)
        except TarError:
            if self._offset + at == BLOCK_SIZE:
                _refuse_compressed(block)
            raise
        if self._zero_blocks:
            raise TarError("end", "a lone block of zeros stands between its entries")
        data, flag = self._offset + at, fields[6]
        if flag in EXTENSION_TYPES:
            self._begin_extension(fields, data - BLOCK_SIZE)
        elif flag == b"S" or self._extensions.apply_needed:
            self._extended(fields, block, data - BLOCK_SIZE)
        else:
            wanted = self.entries.add(fields, data - BLOCK_SIZE, data, 0, NO_XATTRS)
            size = fields[4]
            if size and flag not in HEADER_ONLY:
                end = at + size + -size % BLOCK_SIZE
                if end > len(view):
                    self._begin_data(size, wanted)
                    return at
                if wanted:
                    hasher = self._new_hasher(size)
                    hasher.update(view[at : at + size])
                    self._builder.add_hash(hasher.digest())
                return end
        return at

    def _take_content(self, view: memoryview, at: int) -> int:
        left = self._left
        hasher = self._hasher
        assert hasher is not None  # `_begin_data` made one
        taken = view[at : at + left]
        hasher.update(taken)
        self._left = left = left - len(taken)
        if left:
            return at + len(taken)
        self._builder.add_hash(hasher.digest())
        self._hasher = None
        return self._take_padding(view, at + len(taken))

    def _take_padding(self, view: memoryview, at: int) -> int:
        """Pass over what is left of data that nobody wants, and over the rest of its last block."""
        here = len(view) - at
        if self._left + self._padding > here:
            passed = min(self._left, here)
            self._left -= passed
            self._padding -= here - passed
            self._take = self._take_padding
            return len(view)
        at += self._left + self._padding
        self._left = self._padding = 0
        self._take = self._take_header
        return at

    def _take_extension(self, view: memoryview, at: int) -> int:
        taken = view[at : at + self._left]
        self._left -= len(taken)
        if self._left or self._partial:
            self._partial += taken
        if self._left:
            return at + len(taken)
        self._extensions.complete(bytes(self._partial or taken))
        self._partial = bytearray()
        return self._take_padding(view, at + len(taken))

    def _take_map(self, view: memoryview, at: int) -> int:
        """A block of a sparse file's map, where that lies between its header and its data."""
        block, at = self._complete(view, at)
        if block is None or self._sparse is None:
            return at
        found, member = self._sparse
        numbers = member.map_reader.feed(bytes(block)) if member.map_reader else member.numbers
        size = found.header.size - member.block_size
        found = replace(found, header=found.header._replace(size=size))
        self._sparse = found, member
        if numbers is not None:
            member.numbers = numbers
            self._begin_sparse(found, member, self._offset + at)
        return at

    def _take_rest(self, view: memoryview, at: int) -> int:
        """What follows the end of the archive belongs to the layer's digest, and to nothing else."""
        return len(view)

    def _complete(self, view: memoryview, at: int) -> tuple[memoryview | None, int]:
        """The next block, put together from several pieces where it must be; None until it is all here."""
        taken = view[at : at + BLOCK_SIZE - len(self._partial)]
        self._partial += taken
        if len(self._partial) < BLOCK_SIZE:
            return None, at + len(taken)
        block, self._partial = memoryview(bytes(self._partial)), bytearray()
        return block, at + len(taken)

    def _zero_block(self, end: int) -> None:
        if self._extensions.waiting:
            raise TarError("extension", "an extension header has no entry behind it")
        self._zero_blocks += 1
        if self._zero_blocks == 2:
            self._end = end
            self._take = self._take_rest

    def _begin_extension(self, fields: Fields, start: int) -> None:
        size = self._extensions.begin(Header._make(fields), start)
        if fields[6] == b"g":
            self.entries.count(size)
        self._left, self._padding = size, -size % BLOCK_SIZE
        self._take = self._take_extension
        if not size:
            self._extensions.complete(b"")
            self._take = self._take_header

    def _begin_data(self, size: int, wanted: bool) -> None:
        """`size` bytes of data follow the header; they are hashed when they are `wanted`."""
        if not size:
            return
        self._left, self._padding = size, -size % BLOCK_SIZE
        self._take = self._take_content if wanted else self._take_padding
        if wanted and self._hasher is None:
            self._hasher = self._new_hasher(size)

    def _new_hasher(self, size: int) -> _Hasher:
        return blake3() if size <= self._largest else Glance(size)

    def _extended(self, fields: Fields, block: memoryview, start: int) -> None:
        """An entry with extension headers before it, or an old sparse one."""
        found = self._extensions.apply(Header._make(fields), start)
        header, data = found.header, start + BLOCK_SIZE
        for name in found.dropped:
            self.entries.note("xattr", header.name + b" " + name)
        member = found.sparse
        if header.kind == b"S":
            if not header.gnu or member:
                raise TarError("sparse", "an old GNU sparse file in another format", header.name)
            member = sparse.old_member(bytes(block), self._limits)
        if member is None:
            wanted = self.entries.add(header, found.start, data, found.nsec, found.xattrs)
            if header.kind not in HEADER_ONLY:
                self._begin_data(header.size, wanted)
        elif member.map_reader:
            self._sparse = found, member
            self._take = self._take_map
        else:
            self._begin_sparse(found, member, data)

    def _begin_sparse(self, found: Extended, member: SparseMember, data: int) -> None:
        self._sparse = None
        self._take = self._take_header
        stored = found.header.size
        runs: SparseMap = sparse.checked(member.numbers, member.size, stored, self._limits)
        header = found.header._replace(size=member.size)
        wanted = self.entries.add_sparse(header, found.start, data, found.nsec, found.xattrs, runs)
        content = SparseContent(runs, member.size)
        if wanted and not stored:
            self._builder.add_hash(content.digest())
        self._hasher = content if wanted and stored else None
        self._begin_data(stored, wanted)


def _refuse_compressed(begin: bytes | bytearray | memoryview) -> None:
    """Raise TarError where what should be a tar is one in a compression that layers do not come in."""
    kind = compression.unread(bytes(begin[: compression.UNREAD_SIZE]))
    if kind:
        raise TarError("compression", f"it is compressed with {kind}, which layers are not read in")
