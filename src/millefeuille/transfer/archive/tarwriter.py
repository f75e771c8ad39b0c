"""TarWriter: a tar written to a descriptor, the same bytes for the same members.

Everything belongs to root and was changed in 1970. Blobs are hashed beside the writing, from the very
bytes that are written.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import cycle
from tarfile import BLOCKSIZE, DIRTYPE, PAX_FORMAT, RECORDSIZE, TarInfo

from millefeuille import files
from millefeuille.layers.stage import DEPTH, Stage
from millefeuille.oci.descriptor import Descriptor
from millefeuille.store.blobs import Blobs, corrupt

_CHUNK = 256 << 10  # bytes
# Taken in turn: one is written into again only when the hash, at most DEPTH + 1 behind, is done with it.
_BUFFERS = DEPTH + 2


class TarWriter:
    """Add the members, then finish. `write` takes all of the bytes it is given."""

    def __init__(self, write: Callable[[bytes | memoryview], object]) -> None:
        self._write = write
        self._size = 0

    def add_directory(self, name: str) -> None:
        """A directory; `name` ends with a slash."""
        self._put(_header(name, 0, kind=DIRTYPE))

    def add_bytes(self, name: str, data: bytes) -> None:
        """A small file."""
        self._put(_header(name, len(data)) + data + bytes(-len(data) % BLOCKSIZE))

    def add_blob(self, name: str, blob: Descriptor, blobs: Blobs) -> None:
        """A blob of the store as a file. Raises BlobNotFound, CorruptBlob when its bytes are not right."""
        hasher = blob.digest.hasher()
        with blobs.open(blob) as file:
            self._put(_header(name, blob.size))
            stage: Stage[memoryview] = Stage("blob-hash", hasher.update)
            try:
                self._copy(file.fileno(), stage)
            finally:
                stage.stop()
            stage.close()
        if hasher.hexdigest() != blob.digest.hex:
            raise corrupt(blob.digest, "does not match its digest")
        self._put(bytes(-blob.size % BLOCKSIZE))

    def finish(self) -> None:
        """The end of the tar, padded as tar pads it."""
        self._put(bytes(2 * BLOCKSIZE))
        self._put(bytes(-self._size % RECORDSIZE))

    def _copy(self, descriptor: int, stage: Stage[memoryview]) -> None:
        buffers = cycle([memoryview(bytearray(_CHUNK)) for _ in range(_BUFFERS)])
        for buffer in buffers:
            count = os.readv(descriptor, [buffer])
            if not count:
                return
            stage.put(buffer[:count])
            self._put(buffer[:count])

    def _put(self, data: bytes | memoryview) -> None:
        self._write(data)
        self._size += len(data)


def tar_size(sizes: list[int]) -> int:
    """The bytes of a tar with files of these sizes, where every name is short."""
    content = sum(BLOCKSIZE + size + -size % BLOCKSIZE for size in sizes) + 2 * BLOCKSIZE
    return content + -content % RECORDSIZE


def writer_to(descriptor: int) -> TarWriter:
    """A writer that appends to an open file."""
    return TarWriter(lambda data: files.write(descriptor, data))


def _header(name: str, size: int, *, kind: bytes = b"0") -> bytes:
    header = TarInfo(name)
    header.size, header.type = size, kind
    header.mode = 0o755 if kind == DIRTYPE else 0o644
    # Names that a plain header cannot hold, those of sha512 blobs, go into a PAX one.
    return header.tobuf(PAX_FORMAT)
