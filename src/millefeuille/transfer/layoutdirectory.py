"""LayoutDirectory: an OCI image layout in a directory, as a source of images.

Source: OCI image-spec, image-layout.md.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from millefeuille.annotations import Final
from millefeuille.errors import Corrupt, NotFound
from millefeuille.oci import manifest as documents
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.manifest import Index

_TAG: Final = "org.opencontainers.image.ref.name"


class NotInLayout(NotFound):
    """The layout, or what is asked of it, is not there."""


class WrongBlob(Corrupt):
    """The bytes of a document are not those that its digest promises."""


class _File:
    def __init__(self, path: str, offset: int) -> None:
        self.offset = offset
        self._file = open(path, "rb", buffering=0)  # closed by `close`
        self._file.seek(offset)

    def readinto(self, buffer: bytearray) -> int:
        return self._file.readinto(buffer) or 0

    def close(self) -> None:
        self._file.close()


class LayoutDirectory:
    """The layout at `path`: an ImageSource."""

    def __init__(self, path: str) -> None:
        self._path = path

    def resolve(self, tag: str = "") -> Descriptor:
        """What the index has under a tag, or without one last. Raises NotInLayout, InvalidManifest."""
        fitting = [one for one in self.entries() if not tag or one.annotations.get(_TAG) == tag]
        if not fitting:
            raise NotInLayout(f"{self._path}: nothing called {tag or 'anything'} in the layout")
        return fitting[-1]

    def entries(self) -> Sequence[Descriptor]:
        """All that the index lists. Raises NotInLayout, InvalidManifest."""
        path = os.path.join(self._path, "index.json")
        try:
            with open(path, "rb") as file:
                raw = file.read(documents.MAXIMUM_BYTES + 1)
        except FileNotFoundError:
            raise NotInLayout(f"{self._path}: no OCI image layout") from None
        index = documents.parse(raw, "application/vnd.oci.image.index.v1+json", path)
        return index.manifests if isinstance(index, Index) else ()

    def manifest(self, wanted: Descriptor) -> tuple[Descriptor, bytes]:
        """See ImageSource. Raises NotInLayout, WrongBlob."""
        try:
            with open(self._blob(wanted.digest), "rb") as file:
                raw = file.read(documents.MAXIMUM_BYTES + 1)
        except FileNotFoundError:
            raise NotInLayout(f"{self._path}: blob {wanted.digest} is missing") from None
        if Digest.of(raw, wanted.digest.algorithm) != wanted.digest:
            raise WrongBlob(f"{self._path}: blob {wanted.digest} is damaged")
        return wanted, raw

    def open(self, blob: Descriptor, *, offset: int = 0) -> _File:
        """See ImageSource. Raises NotInLayout."""
        try:
            return _File(self._blob(blob.digest), offset)
        except FileNotFoundError:
            raise NotInLayout(f"{self._path}: blob {blob.digest} is missing") from None

    def _blob(self, digest: Digest) -> str:
        return os.path.join(self._path, "blobs", digest.algorithm, digest.hex)
