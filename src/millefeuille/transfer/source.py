"""Where an image comes from: a registry's repository, an archive, a layout; as little as a transfer needs."""

from __future__ import annotations

from collections.abc import Callable

from millefeuille.annotations import Protocol
from millefeuille.oci.descriptor import Descriptor


class Bytes(Protocol):
    """Bytes to be read once. Close it when done."""

    def readinto(self, buffer: bytearray) -> int:
        """Fill (a part of) `buffer`; the number of bytes, 0 at the end."""

    def close(self) -> None:
        """Let go of the connection or file."""


class ByteStream(Bytes, Protocol):
    """Bytes of a blob from `offset` on."""

    @property
    def offset(self) -> int:
        """Where in the blob the first byte lies."""


class ImageSource(Protocol):
    """Documents and blobs of images, found by descriptor. Called from several threads at once."""

    def manifest(self, wanted: Descriptor) -> tuple[Descriptor, bytes]:
        """A manifest's or index's bytes, checked against the digest, with the media type they came as."""

    def open(self, blob: Descriptor, *, offset: int = 0) -> ByteStream:
        """A blob's bytes; the stream may begin before `offset` when the source cannot seek."""


class Readable(Protocol):
    """Bytes to be sent."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, none at the end."""

    def close(self) -> None:
        """Be done."""


# Opens a blob's bytes from an offset, perhaps more than once.
Opener = Callable[[int], Readable]
