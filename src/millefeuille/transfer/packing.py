"""Packing: in which form a layer leaves the store."""

from __future__ import annotations

import sys
import zlib

from isal import isal_zlib

from millefeuille.annotations import Final, Protocol
from millefeuille.errors import Invalid
from millefeuille.oci import mediatype
from millefeuille.values import dataclass

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_LEVELS: Final = {"gzip": range(10), "zstd": range(23), "uncompressed": range(0)}
_TYPES: Final = {
    "gzip": mediatype.OCI_LAYER_GZIP, "zstd": mediatype.OCI_LAYER_ZSTD, "uncompressed": mediatype.OCI_LAYER
}  # fmt: skip
_GZIP_FRAME: Final = 31  # wbits of zlib: the largest window, in a gzip frame
# What these levels of isal write does not depend on the processor.
_ISAL_LEVELS: Final = (1, 2)
_ZSTD_DEFAULT: Final = 3


class BadPacking(Invalid):
    """There is no such compression, or no such level of it."""


class Compressor(Protocol):
    """Bytes in, packed bytes out; `flush` gives the last of them."""

    def compress(self, data: bytes, /) -> bytes:
        """Take some bytes."""

    def flush(self) -> bytes:
        """The end."""


@dataclass(frozen=True, slots=True)
class Packing:
    """A compression and its level, None for what suits it. With `force` layers that came packed in another
    way are packed again. Raises BadPacking.
    """

    kind: str = "gzip"
    level: int | None = None
    force: bool = False

    def __post_init__(self) -> None:
        if self.kind not in _LEVELS:
            known = ", ".join(_LEVELS)
            raise BadPacking(f"unsupported layer compression type {self.kind}", advice=f"There are {known}.")
        if self.level is not None and self.level not in _LEVELS[self.kind]:
            raise BadPacking(f"{self.kind} has no compression level {self.level}")

    @property
    def media_type(self) -> str:
        """What such a layer is called in an OCI manifest."""
        return _TYPES[self.kind]

    @property
    def is_default(self) -> bool:
        """Whether a blob of this kind that was made earlier is as good as a new one."""
        return self.level is None

    def compressor(self) -> Compressor:
        """A fresh compressor; not for layers that stay as they are."""
        if self.kind == "zstd":
            compressor: Compressor = zstd.ZstdCompressor(
                level=_ZSTD_DEFAULT if self.level is None else self.level
            )
            return compressor
        level = _ISAL_LEVELS[0] if self.level is None else self.level
        if level in _ISAL_LEVELS:
            fast: Compressor = isal_zlib.compressobj(level, wbits=_GZIP_FRAME)
            return fast
        return zlib.compressobj(level, wbits=_GZIP_FRAME)
