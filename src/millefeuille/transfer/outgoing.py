"""Outgoing: a blob of the store on its way out, counted and checked."""

from __future__ import annotations

from io import BufferedReader

from millefeuille.annotations import Any
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.progress import LayerAdvanced, Progress
from millefeuille.store.blobs import Blobs, corrupt


class Outgoing:
    """One blob. `open` may be called more than once; what was opened before is closed then.

    Bytes that do not match the digest are noticed before the last of them is handed on, so that a damaged
    blob never completes an upload. Read from the middle, a blob is checked by its receiver alone.
    """

    def __init__(self, blobs: Blobs, blob: Descriptor, diff_id: Digest | None, progress: Progress) -> None:
        self._blobs = blobs
        self._blob = blob
        self._diff_id = diff_id
        self._progress = progress
        self._file: BufferedReader | None = None
        self._hasher: Any = None

    def open(self, offset: int) -> Outgoing:
        """The bytes from `offset`. Raises BlobNotFound, CorruptBlob."""
        self.close()
        self._file = self._blobs.open(self._blob, offset=offset)
        self._hasher = self._blob.digest.hasher() if offset == 0 else None
        return self

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, none at the end. Raises CorruptBlob."""
        assert self._file is not None  # nobody has a reader that was not opened
        data = self._file.read(size)
        at = self._file.tell()
        if self._hasher is not None:
            self._hasher.update(data)
            if at == self._blob.size and self._hasher.hexdigest() != self._blob.digest.hex:
                raise corrupt(self._blob.digest, "does not match its digest")
        if self._diff_id is not None:
            self._progress.report(LayerAdvanced(digest=self._diff_id, current=at, total=self._blob.size))
        return data

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
