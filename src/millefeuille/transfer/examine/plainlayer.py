"""A layer that is no compressed stream, indexed and hashed where it lies in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from millefeuille.annotations import Any, Final
from millefeuille.later import Later, hashlib
from millefeuille.layers import part
from millefeuille.layers.columns import Buffer
from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.refusal import TarError
from millefeuille.layers.tar import TarParser
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.transfer.archive.contents import MemberStream
from millefeuille.transfer.examine.promise import hold

_PIECE: Final = 512 << 10  # bytes read at a time
_SAMPLE: Final = 256 << 10  # bytes by which a layer's files are guessed to be small or large
# Nanoseconds, of which only the proportions matter.
_HASHING: Final = 0.75  # a byte
_READING: Final = 0.2  # a byte that is passed over
_ENTRY: Final = 2600.0
_BEGINNING: Final = 8e6  # until the other process has begun, and what it says has been taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.layers import naming, stage
else:
    naming = Later("millefeuille.layers.naming")
    stage = Later("millefeuille.layers.stage")  # for who works alone

Hashers = list[Any]


class PlainLayer:
    """One layer, of which an index is made once: by `index`, or by `begin` here and `end` elsewhere.

    `promised` is the diff ID that the image config has for it. With `glance`, large contents are not hashed
    in full (`layers/glance.py`). Every method raises ShortArchive.
    """

    def __init__(self, stream: MemberStream, blob: Descriptor, promised: Digest, *, glance: bool) -> None:
        self.digest, self.size, self.glance = blob.digest, blob.size, glance
        self._stream = stream
        self._blob = blob
        self._promised = promised

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

    def cut(self, others: int) -> int | None:
        """Where to cut, for a process that hashes the layer, reads its end, and `others` bytes besides."""
        sample = self._stream.read_at(_SAMPLE, self.size // 2)
        parsing = _READING + _ENTRY * sample.count(part.MAGIC) / (len(sample) or 1)
        at = int(((self.size + others) * (1 + _HASHING / parsing) + _BEGINNING / parsing) / 2)
        return part.entry_behind(self._stream.read_at, at, self.size) if at < self.size else None

    def begin(self, cut: int, rest: Callable[[], tuple[Buffer, Buffer]]) -> LayerIndex:
        """The index of the whole layer, read here up to `cut`; `rest` gives its `digests` and its `end`.

        Both are empty where they could not be had. Raises CorruptBlob, TarError.
        """
        builder = IndexBuilder()
        parser = TarParser(builder, glance=self.glance)
        wrong: TarError | None = None
        try:
            for at, piece in self._stream.pieces(_PIECE, 0, cut):
                parser.feed(piece, at + len(piece))
        except TarError as error:
            wrong = error
        digests, end = rest()
        # What is said of a damaged layer is that it is damaged, not what the tar looks like for it.
        self._hold(bytes(digests) or self.digests())
        if wrong is not None:
            with naming.naming(self.digest):
                raise wrong
        index = part.joined(parser, builder, end)
        if index is None:
            self._read_on(parser, cut)
            index = LayerIndex.made(builder)
        return index

    def end(self, cut: int) -> bytes:
        """What lies behind `cut`, for `begin`. Raises TarError."""
        builder = IndexBuilder()
        parser = TarParser(builder, glance=self.glance, offset=cut)
        self._read_on(parser, cut)
        return part.encoded(builder, parser.entries)

    def digests(self) -> bytes:
        """The digests of the whole layer, for `begin`."""
        hashers = self._hashers()
        self._hash(hashers)
        return _told(hashers)

    def _whole(self, *, alone: bool) -> IndexBuilder:
        builder = IndexBuilder()
        parser = TarParser(builder, glance=self.glance)
        hashers = self._hashers()
        wrong: TarError | None = None
        try:
            if alone:
                self._read_beside(parser, hashers)
            else:
                self._read_hashed(parser, hashers)
        except TarError as error:
            wrong = error
            hashers = self._hashers()
            self._hash(hashers)
        self._hold(_told(hashers))
        if wrong is not None:
            with naming.naming(self.digest):
                raise wrong
        return builder

    def _read_hashed(self, parser: TarParser, hashers: Hashers) -> None:
        for at, piece in self._stream.pieces(_PIECE):
            _update(hashers, piece)
            parser.feed(piece, at + len(piece))
        parser.finish()

    def _read_on(self, parser: TarParser, begin: int) -> None:
        for at, piece in self._stream.pieces(_PIECE, begin):
            parser.feed(piece, at + len(piece))
        parser.finish()

    def _read_beside(self, parser: TarParser, hashers: Hashers) -> None:
        hashing: stage.Stage[Hashers] = stage.Stage("hash", self._hash)
        hashing.put(hashers)
        try:
            self._read_on(parser, 0)
            hashing.close()
        finally:
            hashing.stop()

    def _hashers(self) -> Hashers:
        return [hashlib.new(name) for name in {self._blob.digest.algorithm, "sha256"}]

    def _hash(self, hashers: Hashers) -> None:
        for _, piece in self._stream.pieces(_PIECE):
            _update(hashers, piece)

    def _hold(self, digests: bytes) -> None:
        found = dict(word.split(":") for word in digests.decode().split())
        algorithm = self._blob.digest.algorithm
        digest, plain = Digest(algorithm, found[algorithm]), Digest("sha256", found["sha256"])
        hold(self._blob, self._promised, digest, self.size, plain)


def _update(hashers: Hashers, piece: bytes) -> None:
    for hasher in hashers:
        hasher.update(piece)


def _told(hashers: Hashers) -> bytes:
    return " ".join(f"{hasher.name}:{hasher.hexdigest()}" for hasher in hashers).encode()
