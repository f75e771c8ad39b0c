"""A layer that is no compressed stream, indexed and hashed where it lies in a file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from millefeuille.layers import part
from millefeuille.layers.columns import Buffer
from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.stage import Stage
from millefeuille.layers.tar import TarParser
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.transfer.archive.contents import MemberStream
from millefeuille.transfer.examine.promise import hold

_PIECE: Final = 512 << 10  # bytes read at a time


class PlainLayer:
    """One layer, of which an index is made once: by `index`, or by `begin` here and `rest` elsewhere.

    `promised` is the diff ID that the image config has for it. With `glance`, large contents are not hashed
    in full (`layers/glance.py`). Every method raises ShortArchive.
    """

    def __init__(self, stream: MemberStream, blob: Descriptor, promised: Digest, *, glance: bool) -> None:
        self.digest, self.size, self.glance = blob.digest, blob.size, glance
        self._stream = stream
        self._blob = blob
        self._promised = promised
        self._hashers = {name: hashlib.new(name) for name in {blob.digest.algorithm, "sha256"}}

    def index(self, *, alone: bool) -> LayerIndex:
        """The layer's index. Where no other process works, a thread takes the hashes meanwhile.

        Raises CorruptBlob, TarError.
        """
        return LayerIndex.made(self._whole(alone=alone))

    def encoded(self) -> bytes:
        """The same, encoded, without the order of its paths."""
        return self._whole(alone=False).finish(ordered=False)

    def read(self, begin: int, end: int) -> Iterator[bytes]:
        """The bytes of the tar from an offset to another."""
        return (piece for _, piece in self._stream.pieces(_PIECE, begin, end))

    def middle(self, at: int) -> int | None:
        """Where an entry seems to begin, behind `at`."""
        return part.entry_behind(self._stream.read_at, at, self.size)

    def begin(self, cut: int, rest: Callable[[], Buffer]) -> LayerIndex:
        """The index of the whole layer, read here up to `cut`; `rest` gives what lies behind.

        Raises CorruptBlob, TarError.
        """
        found: list[LayerIndex] = []
        self._hashed_beside(lambda: found.append(self._joined(cut, rest)))
        return found[0]

    def rest(self, cut: int) -> bytes:
        """What lies behind `cut`, for `begin`. Raises TarError."""
        builder = IndexBuilder()
        parser = TarParser(builder, glance=self.glance, offset=cut)
        self._read_on(parser, cut)
        return part.encoded(builder, parser.entries)

    def _whole(self, *, alone: bool) -> IndexBuilder:
        builder = IndexBuilder()
        parser = TarParser(builder, glance=self.glance)
        if alone:
            self._hashed_beside(lambda: self._read_on(parser, 0))
            return builder
        hashers = list(self._hashers.values())
        for at, piece in self._stream.pieces(_PIECE):
            _update(hashers, piece)
            parser.feed(piece, at + len(piece))
        self._hold()
        parser.finish()
        return builder

    def _joined(self, cut: int, rest: Callable[[], Buffer]) -> LayerIndex:
        builder = IndexBuilder()
        parser = TarParser(builder, glance=self.glance)
        for at, piece in self._stream.pieces(_PIECE, 0, cut):
            parser.feed(piece, at + len(piece))
        index = part.joined(parser, builder, rest())
        if index is None:
            self._read_on(parser, cut)
            index = LayerIndex.made(builder)
        return index

    def _read_on(self, parser: TarParser, begin: int) -> None:
        for at, piece in self._stream.pieces(_PIECE, begin):
            parser.feed(piece, at + len(piece))
        parser.finish()

    def _hashed_beside(self, work: Callable[[], None]) -> None:
        stage: Stage[list[Any]] = Stage("hash", self._hash)
        stage.put(list(self._hashers.values()))
        try:
            work()
        finally:
            # What is said of a damaged layer is that it is damaged, not what the tar looks like for it.
            stage.close()
            self._hold()

    def _hash(self, hashers: list[Any]) -> None:
        for _, piece in self._stream.pieces(_PIECE):
            _update(hashers, piece)

    def _hold(self) -> None:
        algorithm = self._blob.digest.algorithm
        digest = Digest(algorithm, self._hashers[algorithm].hexdigest())
        plain = Digest("sha256", self._hashers["sha256"].hexdigest())
        hold(self._blob, self._promised, digest, self.size, plain)


def _update(hashers: list[Any], piece: bytes) -> None:
    for hasher in hashers:
        hasher.update(piece)
