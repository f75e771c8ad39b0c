"""The single pass: compressed bytes in; two digests, the tar on disk and its index out.

    caller: hash of the blob ──chunk──► inflate ──piece──► hash of the tar (diff ID), write it, parse it,
                                                           hash each file
                                                                └──now and then──► have the disk begin

Every byte is touched once by each of these and copied by none. One thread does it all while there are as
many passes as processors: what it has just inflated is in its cache still. With a processor to spare, the
second half, about as long as the first, goes to a thread of its own; a pass may change from one way to the
other at any piece. The work is in C code that drops the interpreter lock; a short switch interval keeps the
little Python between those calls from holding the C code up (a thread that comes back would wait for up to
5 ms).
"""

from __future__ import annotations

import sys

from millefeuille import files
from millefeuille.later import hashlib
from millefeuille.layers import compression
from millefeuille.layers.chunk import CHUNK as CHUNK
from millefeuille.layers.crowd import PASSES
from millefeuille.layers.index_builder import IndexBuilder
from millefeuille.layers.stage import Stage
from millefeuille.layers.tar import TarParser
from millefeuille.oci.digest import Digest
from millefeuille.values import dataclass

SWITCH_INTERVAL = 0.002  # seconds
ALONE = 2 << 20  # bytes of a plain layer that are read in about the time in which threads begin
WRITEBACK = 16 << 20  # bytes written before the disk is told to begin with them


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerContent:
    """What one pass over a layer found. Sizes in bytes; `index` is the encoded layer index."""

    digest: Digest
    size: int
    diff_id: Digest
    tar_size: int
    content_size: int
    entries: int
    compression: str
    index: bytes


class LayerPass:
    """One pass over one layer. `feed` the compressed chunks in order, then `finish`, or `abort`.

    A chunk's memory may be used for the next one as soon as `feed` returns.

    The tar is written to the descriptor `tar`, from its start; it is neither synced nor closed here. None
    writes none: the caller has the tar already (a layer that came uncompressed).
    """

    def __init__(self, tar: int | None, *, algorithm: str = "sha256") -> None:
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._tar = tar
        self._algorithm = algorithm
        self._size = 0
        self._written = self._flushed = 0  # bytes of the tar: in the file, and on their way to the disk
        self._blob_hash = hashlib.new(algorithm)
        self._tar_hash = hashlib.sha256()
        self._builder = IndexBuilder()
        self._parser = TarParser(self._builder)
        self._inflater: compression.Inflater | None = None
        self._parse_stage: Stage[tuple[bytes | memoryview, int]] = Stage("index", self._index)
        self._disk_stage: Stage[tuple[int, int, int]] = Stage("writeback", _begin_writeback)
        self._stages = (self._parse_stage, self._disk_stage)
        self._handed = False  # whether the other thread may have pieces still
        self._ended = False
        PASSES.join()

    @property
    def size(self) -> int:
        """The compressed bytes fed, until now."""
        return self._size

    def feed(self, chunk: bytes | memoryview) -> None:
        """Take the next compressed bytes. Raises BrokenStream, Bomb, TarError, OSError."""
        self._size += len(chunk)
        self._blob_hash.update(chunk)
        self._inflate(chunk)

    def begin_writeback(self, descriptor: int, offset: int, size: int) -> None:
        """Have the disk begin with what has been written to a file of this layer, the blob or the tar."""
        self._disk_stage.put((descriptor, offset, size))

    def finish(self) -> LayerContent:
        """Wait for all stages. Raises as `feed` does."""
        try:
            for stage in self._stages:
                stage.close()
            inflater = self._inflater or compression.inflater("none")
            inflater.finish()
            if self._inflater is None:
                self._parser.feed(self._head)
            self._parser.finish()
        finally:
            self.abort()
        index = self._builder.finish()
        digest = Digest(self._algorithm, self._blob_hash.hexdigest())
        return LayerContent(
            digest=digest,
            size=self._size,
            diff_id=digest if self._is_tar else Digest("sha256", self._tar_hash.hexdigest()),
            tar_size=inflater.produced,
            content_size=self._builder.content_size,
            entries=len(self._builder),
            compression=self._kind,
            index=index,
        )

    def abort(self) -> None:
        """End the threads; the pass is of no further use."""
        for stage in self._stages:
            stage.stop()
        if not self._ended:
            self._ended = True
            PASSES.leave()

    _kind = "none"
    _head = b""  # the first bytes, while they are too few to tell the compression
    _is_tar = False  # the blob is the tar itself, and its digest the diff ID

    def _inflate(self, chunk: bytes | memoryview) -> None:
        if self._inflater is None:
            if self._head or len(chunk) < compression.MAGIC_SIZE:
                chunk = self._head = self._head + bytes(chunk)
            if len(chunk) < compression.MAGIC_SIZE:
                return
            self._kind = compression.sniff(bytes(chunk[: compression.MAGIC_SIZE]))
            self._inflater = compression.inflater(self._kind)
            self._is_tar = self._kind == "none" and self._algorithm == "sha256"
        for piece in self._inflater.feed(chunk):
            self._hand_on(piece, self._inflater.consumed)

    def _hand_on(self, piece: bytes | memoryview, consumed: int) -> None:
        if PASSES.has_room and (self._size > ALONE or not self._is_tar):
            self._handed = True
            # A plain piece lies in the caller's memory.
            self._parse_stage.put((bytes(piece), consumed))
            return
        if self._handed:
            self._parse_stage.drain()
            self._handed = False
        self._index((piece, consumed))

    def _index(self, item: tuple[bytes | memoryview, int]) -> None:
        piece, consumed = item
        if not self._is_tar:
            self._tar_hash.update(piece)
        if self._tar is not None:
            self._written += files.write(self._tar, piece)
            if self._written - self._flushed >= WRITEBACK:
                self.begin_writeback(self._tar, self._flushed, self._written - self._flushed)
                self._flushed = self._written
        self._parser.feed(piece, consumed)


def _begin_writeback(extent: tuple[int, int, int]) -> None:
    # In a stage of its own: handing much to a slow disk takes long.
    files.begin_writeback(*extent)
