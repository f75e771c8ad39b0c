"""Blobs: bytes named by their digest.

A blob is invisible until its ingest commits, and an ingest commits only when size and digest are right.
Putting and removing promise a state, not an act: doing either twice is no error. A blob is never opened
for writing once it has its name.
"""

from __future__ import annotations

import contextlib
import os
from _thread import get_ident
from collections.abc import Iterator
from io import BufferedReader

from millefeuille import files
from millefeuille.errors import Corrupt, NotFound
from millefeuille.oci.digest import Digest
from millefeuille.store.disk import Disk

TYPE_CHECKING = False
if TYPE_CHECKING:  # what only reads the database does without manifests
    from millefeuille.oci.descriptor import Descriptor

_CHUNK = 1 << 20


class BlobNotFound(NotFound):
    """The store does not hold the blob."""


class CorruptBlob(Corrupt):
    """The bytes are not those that the digest or size promised."""


class Blobs:
    """The blobs of one store: a BlobSource, and the small half of a BlobStore (see LayerIngest)."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def __contains__(self, digest: Digest) -> bool:
        return os.path.exists(self._disk.blob(digest))

    def size(self, digest: Digest) -> int:
        """A blob's size in bytes. Raises BlobNotFound."""
        try:
            return os.stat(self._disk.blob(digest)).st_size
        except FileNotFoundError:
            raise _missing(digest) from None

    def holds(self, blob: Descriptor) -> bool:
        """True when the blob is there with the size its descriptor promises."""
        try:
            return os.stat(self._disk.blob(blob.digest)).st_size == blob.size
        except FileNotFoundError:
            return False

    def open(self, blob: Descriptor, *, offset: int = 0) -> BufferedReader:
        """A blob's bytes from `offset`; the caller closes the file. Raises BlobNotFound, CorruptBlob."""
        try:
            file = open(self._disk.blob(blob.digest), "rb")
        except FileNotFoundError:
            raise _missing(blob.digest) from None
        if os.fstat(file.fileno()).st_size != blob.size:
            file.close()
            raise corrupt(blob.digest, "has the wrong size")
        file.seek(offset)
        return file

    def read(self, digest: Digest, maximum: int = 8 << 20) -> bytes:
        """A small blob's bytes, checked against its digest. Raises BlobNotFound, CorruptBlob."""
        try:
            with open(self._disk.blob(digest), "rb") as file:
                data = file.read(maximum + 1)
        except FileNotFoundError:
            raise _missing(digest) from None
        if Digest.of(data, digest.algorithm) != digest:
            raise corrupt(digest, "does not match its digest")
        return data

    def put(self, digest: Digest, data: bytes) -> None:
        """Store a small blob, in the place of a damaged one; `settle` makes its name durable.

        Raises CorruptBlob, OSError.
        """
        if Digest.of(data, digest.algorithm) != digest:
            raise CorruptBlob(f"blob {digest}: the bytes do not match the digest")
        target = self._disk.blob(digest)
        if self._holds(digest, data):
            return
        temporary = f"{target}.tmp-{os.getpid()}-{get_ident()}"
        files.unlink(temporary)
        descriptor = files.create(temporary, 0o400)
        try:
            files.write(descriptor, data)
            files.sync(descriptor)
            files.rename(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        finally:
            os.close(descriptor)

    def settle(self) -> None:
        """Make the names of all blobs durable; before the transaction that speaks of them."""
        root = os.path.dirname(self._disk.blobs("sha256"))
        for algorithm in sorted(os.listdir(root)):
            files.sync_directory(f"{root}/{algorithm}")

    def verify(self, digest: Digest) -> bool:
        """Read a whole blob; True when its bytes match. Raises BlobNotFound."""
        hasher = digest.hasher()
        try:
            with open(self._disk.blob(digest), "rb", buffering=0) as file:
                while chunk := file.read(_CHUNK):
                    hasher.update(chunk)
        except FileNotFoundError:
            raise _missing(digest) from None
        return bool(hasher.hexdigest() == digest.hex)

    def __iter__(self) -> Iterator[Digest]:
        root = os.path.dirname(self._disk.blobs("sha256"))
        for algorithm in sorted(os.listdir(root)):
            for name in sorted(os.listdir(f"{root}/{algorithm}")):
                if ".tmp-" not in name:
                    yield Digest(algorithm, name)

    def _holds(self, digest: Digest, data: bytes) -> bool:
        try:
            with open(self._disk.blob(digest), "rb") as file:
                return file.read(len(data) + 1) == data
        except FileNotFoundError:
            return False


def corrupt(digest: Digest, what: str) -> CorruptBlob:
    """The error for a blob that is damaged in the store."""
    return CorruptBlob(
        f"blob {digest}: {what}",
        advice="Set it aside with `mille system check --data --repair`, then pull again.",
    )


def _missing(digest: Digest) -> BlobNotFound:
    return BlobNotFound(f"blob {digest}: not in the store")
