"""Compression of whole archives: that of layers, and the two that only old tools use (bzip2, xz)."""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.annotations import Final
from millefeuille.later import bz2, lzma
from millefeuille.layers import compression
from millefeuille.layers.compression import (
    OUTPUT_CHUNK,
    RATIO_FREE,
    RATIO_MAXIMUM,
    Bomb,
    BrokenStream,
    Inflater,
)

MAXIMUM: Final = 500 << 30  # bytes of tar
_XZ_MEMORY: Final = 256 << 20  # bytes


def sniff_archive(head: bytes) -> str:
    """`gzip`, `zstd`, `bzip2`, `xz` or `none`, from the first bytes of a stream."""
    return compression.unread(head) or compression.sniff(head)


def archive_inflater(kind: str) -> Inflater:
    """An inflater for what `sniff_archive` gives."""
    if kind == "bzip2" or kind == "xz":
        return _Old(kind)
    return compression.inflater(kind, MAXIMUM)


class _Old:
    """One or many bzip2 or xz streams, one behind the other; zeros behind the last are accepted."""

    def __init__(self, kind: str) -> None:
        self.consumed = 0
        self.produced = 0
        self._kind = kind
        self._stream = self._new()
        self._started = False

    def feed(self, chunk: bytes | memoryview) -> Iterator[bytes | memoryview]:
        """The inflated bytes of `chunk`. Raises BrokenStream, Bomb."""
        self.consumed += len(chunk)
        data = bytes(chunk)
        try:
            while data or not (self._stream.eof or self._stream.needs_input):
                if self._stream.eof:
                    data = data.lstrip(b"\0")
                    if not data:
                        return
                    self._stream, self._started = self._new(), False
                output = self._stream.decompress(data, OUTPUT_CHUNK)
                self._started = True
                data = self._stream.unused_data if self._stream.eof else b""
                if output:
                    self._count(len(output))
                    yield output
        except (OSError, EOFError, lzma.LZMAError) as error:
            raise BrokenStream(f"broken {self._kind} stream ({error})") from error

    def finish(self) -> None:
        """Hold that the stream is complete. Raises BrokenStream."""
        if not self._stream.eof:
            raise BrokenStream(f"the {self._kind} stream ends early")

    def _count(self, size: int) -> None:
        self.produced += size
        if self.produced > MAXIMUM or self.produced > max(RATIO_FREE, RATIO_MAXIMUM * self.consumed):
            raise Bomb(f"the archive inflates to more than {RATIO_MAXIMUM} times its size")

    def _new(self) -> bz2.BZ2Decompressor | lzma.LZMADecompressor:
        if self._kind == "bzip2":
            return bz2.BZ2Decompressor()
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
