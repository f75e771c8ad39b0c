"""A compressed layer, indexed and hashed where it lies in a file."""

from __future__ import annotations

from millefeuille.layers.index import LayerIndex
from millefeuille.layers.ingest import CHUNK, LayerPass
from millefeuille.layers.naming import naming
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.transfer.archive.contents import MemberStream
from millefeuille.transfer.examine.promise import hold


class PackedLayer:
    """One layer; `promised` is the diff ID that the image config has for it."""

    def __init__(self, stream: MemberStream, blob: Descriptor, promised: Digest) -> None:
        self.digest, self.size = blob.digest, blob.size
        self._stream = stream
        self._blob = blob
        self._promised = promised

    def index(self, *, alone: bool) -> LayerIndex:
        """The layer's index; inflating has threads of its own, `alone` or not.

        Raises CorruptBlob, BrokenStream, Bomb, TarError, ShortArchive.
        """
        return LayerIndex(self.encoded())

    def encoded(self) -> bytes:
        """The same, encoded."""
        reading = LayerPass(None, algorithm=self._blob.digest.algorithm)
        try:
            with naming(self.digest):
                for _, piece in self._stream.pieces(CHUNK):
                    reading.feed(piece)
                content = reading.finish()
        except BaseException:
            reading.abort()
            raise
        hold(self._blob, self._promised, content.digest, content.size, content.diff_id)
        return content.index
