"""Indexing layers where they lie in a file, on several processors.

Reading headers is work in Python, of which one process does no more than one at a time. So the layers are
dealt out to as many processes as there are processors; each but this one is a copy that hands over the
indexes, and ends. Where one layer is larger than all that another process has to do, the other reads the end
of that layer too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from typing import Final

from millefeuille.errors import MilleError
from millefeuille.layers import compression, heap
from millefeuille.layers.columns import Buffer
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.ingest import CHUNK, LayerPass
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.transfer.archive.contents import MemberStream
from millefeuille.transfer.archive.found import ArchiveSource
from millefeuille.transfer.beside import Beside, helpers
from millefeuille.transfer.examine.plainlayer import PlainLayer, hold

_PROCESSES: Final = 8  # at most
_WORTH: Final = 4 << 20  # bytes of layers below which another process is slower
_UNEVEN: Final = 2 << 20  # bytes that one process has more than another, for which a layer is cut

Wanted = tuple[Descriptor, Digest]
Cut = tuple[PlainLayer, int]  # a layer, and where its end begins that another process reads


def in_place(source: ArchiveSource, wanted: Sequence[Wanted]) -> dict[Digest, LayerIndex]:
    """The index of each wanted layer, by the blob's digest; `wanted` has the largest first.

    Raises CorruptBlob, BrokenStream, Bomb, TarError, ShortArchive, BlobNotFound.
    """
    heap.share_arenas()
    own, *others = _dealt(wanted, min(1 + helpers(), _PROCESSES))
    cut = _cut(source, own, others)
    shares = [(each, cut if each is others[-1] else None) for each in others]
    found: dict[Digest, LayerIndex] = {}
    with contextlib.ExitStack() as stack:
        helping = [stack.enter_context(_Helper(source, each, end)) for each, end in shares if each or end]
        if cut is not None:
            layer, at = cut
            found[own.pop(0)[0].digest] = layer.begin(at, helping[-1].end)
        found |= dict(_index(source, one, alone=not helping) for one in own)
        for helper in helping:
            for one, index in zip(helper.layers, helper.indexes, strict=False):
                # Where the other could not, the layer is read again to know why.
                found |= {one[0].digest: LayerIndex(index)} if index else dict([_index(source, one)])
    return found


class _Helper(Beside):
    """A copy of this process that indexes layers, and maybe the end of one more."""

    def __init__(self, source: ArchiveSource, layers: Sequence[Wanted], cut: Cut | None) -> None:
        self.layers = layers
        super().__init__(partial(_work, source, layers, cut))

    @cached_property
    def indexes(self) -> Sequence[Buffer]:
        """Of each layer the index, encoded, and what the end of the other came to; empty where it failed."""
        return self.parts() or [b""] * (len(self.layers) + 1)

    def end(self) -> Buffer:
        """What the end of the layer that was cut came to."""
        return self.indexes[-1]


def _dealt(wanted: Sequence[Wanted], most: int) -> list[list[Wanted]]:
    """The layers in heaps of about the same size, `most` at most, falling; `wanted` has the largest first."""
    if _size(wanted) < _WORTH:
        return [list(wanted)]
    heaps: list[list[Wanted]] = [[] for _ in range(most)]
    for one in wanted:
        min(heaps, key=_size).append(one)
    # This process keeps the largest layer, and with it the chance to cut it.
    return [heaps[0], *sorted(heaps[1:], key=_size, reverse=True)]


def _size(wanted: Sequence[Wanted]) -> int:
    return sum(blob.size for blob, _ in wanted)


def _cut(source: ArchiveSource, own: Sequence[Wanted], others: Sequence[Sequence[Wanted]]) -> Cut | None:
    """Where to cut the largest layer, so that the process with the least to do reads its end."""
    if not others or len(own) != 1 or _size(own) - _size(others[-1]) < _UNEVEN:
        return None
    blob, diff_id = own[0]
    stream = source.open(blob)
    if not _is_plain(stream):
        return None
    layer = PlainLayer(stream, blob, diff_id)
    at = layer.middle((blob.size + _size(others[-1])) // 2)
    return None if at is None else (layer, at)


def _index(source: ArchiveSource, wanted: Wanted, *, alone: bool = False) -> tuple[Digest, LayerIndex]:
    blob, diff_id = wanted
    stream = source.open(blob)
    if _is_plain(stream):
        return blob.digest, LayerIndex.made(PlainLayer(stream, blob, diff_id).whole(alone=alone))
    return blob.digest, LayerIndex(_inflated(stream, blob, diff_id))


def _encoded(stream: MemberStream, blob: Descriptor, diff_id: Digest) -> bytes:
    if _is_plain(stream):
        return PlainLayer(stream, blob, diff_id).whole(alone=False).finish(ordered=False)
    return _inflated(stream, blob, diff_id)


def _is_plain(stream: MemberStream) -> bool:
    head = bytearray(compression.MAGIC_SIZE)
    stream.readinto(head)
    return compression.sniff(bytes(head)) == "none"


def _inflated(stream: MemberStream, blob: Descriptor, diff_id: Digest) -> bytes:
    reading = LayerPass(None, algorithm=blob.digest.algorithm)
    try:
        for _, piece in stream.pieces(CHUNK):
            reading.feed(piece)
        content = reading.finish()
    except BaseException:
        reading.abort()
        raise
    hold(blob, diff_id, content.digest, content.size, content.diff_id)
    return content.index


def _work(source: ArchiveSource, wanted: Sequence[Wanted], cut: Cut | None) -> Iterator[bytes]:
    """The indexes of layers, encoded, and the end of another; nothing for one that failed."""
    for blob, diff_id in wanted:
        try:
            yield _encoded(source.open(blob), blob, diff_id)
        except MilleError:
            yield b""
    try:
        yield b"" if cut is None else cut[0].rest(cut[1])
    except MilleError:
        yield b""
