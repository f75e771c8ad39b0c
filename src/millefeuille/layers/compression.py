"""Compression of layers: recognised by its first bytes, never by what a media type says."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from millefeuille.annotations import Any, Protocol
from millefeuille.errors import Corrupt, Invalid
from millefeuille.later import Later

# A layer that is made here is not compressed.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from isal import igzip_lib

    if sys.version_info >= (3, 14):  # pragma: no cover - the branch of newer interpreters
        from compression import zstd
    else:
        from backports import zstd
else:
    igzip_lib = Later("isal.igzip_lib")
    zstd = Later("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
MAGIC_SIZE = 4  # bytes that tell a compression
# Those of whole archives, which no specification has for layers.
BZIP2_MAGIC = b"BZh"
XZ_MAGIC = b"\xfd7zXZ\0"
UNREAD_SIZE = 6  # bytes that tell these
# Skippable frames (0x184D2A50 to 0x184D2A5F) open some seekable zstd layers (RFC 8878, section 3.1.2).
_SKIPPABLE = tuple(bytes([0x50 + n]) + b"\x2a\x4d\x18" for n in range(16))

OUTPUT_CHUNK = 1 << 20  # bytes; what one inflate call may return, so that a bomb cannot fill the memory
_WINDOW_LOG_MAXIMUM = 27  # 128 MiB: the largest window a frame may ask for

# Deflate reaches 1032:1 at most; zstd has no such bound, so a ratio above this one is a bomb.
RATIO_MAXIMUM = 1100
RATIO_FREE = 1 << 30  # bytes of output below which any ratio is accepted
LAYER_MAXIMUM = 50 << 30  # bytes of output


class BrokenStream(Corrupt):
    """A compressed stream ends early or is not what its header says."""


class Bomb(Invalid):
    """A stream inflates to more than any layer needs."""


class Inflater(Protocol):
    """Compressed chunks in, inflated chunks out. Feed in order, then finish once."""

    consumed: int
    produced: int

    def feed(self, chunk: bytes | memoryview) -> Iterator[bytes | memoryview]:
        """The inflated bytes of `chunk`, in pieces of at most OUTPUT_CHUNK. Raises BrokenStream, Bomb."""

    def finish(self) -> None:
        """Hold that the stream is complete. Raises BrokenStream."""


def sniff(head: bytes) -> str:
    """`gzip`, `zstd` or `none`, from the first four bytes of a stream."""
    if head[:2] == GZIP_MAGIC:
        return "gzip"
    if head[:4] == ZSTD_MAGIC or head[:4] in _SKIPPABLE:
        return "zstd"
    return "none"


def unread(head: bytes) -> str:
    """`bzip2` or `xz`, from the first UNREAD_SIZE bytes of what is no tar; "" for neither."""
    if head.startswith(BZIP2_MAGIC):
        return "bzip2"
    return "xz" if head.startswith(XZ_MAGIC) else ""


def inflater(kind: str, maximum: int = LAYER_MAXIMUM) -> Inflater:
    """An inflater for `gzip`, `zstd` or `none`; `maximum` bounds its output in bytes."""
    kinds: dict[str, Callable[[int], Inflater]] = {"gzip": _Gzip, "zstd": _Zstd, "none": _Plain}
    return kinds[kind](maximum)


class _Bounded:
    """Counts what goes in and comes out, and stops at the budget."""

    def __init__(self, maximum: int) -> None:
        self.consumed = 0
        self.produced = 0
        self._maximum = maximum

    def _count(self, size: int) -> None:
        self.produced += size
        if self.produced > self._maximum:
            raise Bomb(f"the stream inflates to more than {self._maximum} bytes")
        if self.produced > RATIO_FREE and self.produced > RATIO_MAXIMUM * max(self.consumed, 1):
            raise Bomb(f"the stream inflates to more than {RATIO_MAXIMUM} times its size")


class _Plain(_Bounded):
    def feed(self, chunk: bytes | memoryview) -> Iterator[bytes | memoryview]:
        self.consumed += len(chunk)
        self._count(len(chunk))
        yield chunk

    def finish(self) -> None:
        """A plain stream is complete whenever it ends."""


class _Gzip(_Bounded):
    """One or many gzip members (RFC 1952, section 2.2); zero padding after the last is accepted."""

    def __init__(self, maximum: int) -> None:
        super().__init__(maximum)
        self._member = self._new_member()
        self._started = False

    def feed(self, chunk: bytes | memoryview) -> Iterator[bytes | memoryview]:
        self.consumed += len(chunk)
        try:
            while True:
                if self._member.eof:
                    chunk = chunk if self._started else bytes(chunk).lstrip(b"\0")
                    if not chunk:
                        return
                    self._member = self._new_member()
                self._started = True
                output = self._member.decompress(chunk, OUTPUT_CHUNK)
                chunk = b""
                if output:
                    self._count(len(output))
                    yield output
                if self._member.eof:
                    chunk, self._started = self._member.unused_data, False
                elif self._member.needs_input:
                    return
        except _inflate_error() as error:
            raise BrokenStream(f"broken gzip stream ({error})") from error

    def finish(self) -> None:
        if not self._member.eof:
            raise BrokenStream("the gzip stream ends early")

    @staticmethod
    def _new_member() -> Any:
        # Not the twin of zlib's decompressobj, which copies what it has whenever its output grows.
        return igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)


class _Zstd(_Bounded):
    """One or many zstd frames, skippable ones among them (RFC 8878, section 3.1)."""

    def __init__(self, maximum: int) -> None:
        super().__init__(maximum)
        self._frame = self._new_frame()
        self._complete = True

    def feed(self, chunk: bytes | memoryview) -> Iterator[bytes | memoryview]:
        self.consumed += len(chunk)
        try:
            while chunk or not self._frame.needs_input:
                if self._frame.eof:
                    self._frame = self._new_frame()
                output = self._frame.decompress(chunk, OUTPUT_CHUNK)
                self._complete = self._frame.eof
                chunk = self._frame.unused_data if self._frame.eof else b""
                if output:
                    self._count(len(output))
                    yield output
                if self._frame.eof and not chunk:
                    return
        except zstd.ZstdError as error:
            raise BrokenStream(f"broken zstd stream ({error})") from error

    def finish(self) -> None:
        if not self._complete:
            raise BrokenStream("the zstd stream ends early")

    @staticmethod
    def _new_frame() -> Any:
        return zstd.ZstdDecompressor(
            options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MAXIMUM}
        )


def _inflate_error() -> Any:
    """What decompress raises; the stubs call the class an instance."""
    return igzip_lib.error
