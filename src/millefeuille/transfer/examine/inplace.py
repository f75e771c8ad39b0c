"""Indexing layers where they lie in a file, on several processors.

Reading headers is work in Python, of which one process does no more than one at a time. So the layers are
dealt out to as many processes as there are processors; each but this one is a copy that hands over the
indexes, and ends.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from millefeuille.errors import MilleError
from millefeuille.layers import compression, heap
from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.ingest import CHUNK, LayerPass
from millefeuille.layers.stage import Stage
from millefeuille.layers.tar import TarParser
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.store.blobs import CorruptBlob
from millefeuille.transfer.archive.contents import MemberStream, ShortArchive
from millefeuille.transfer.archive.found import ArchiveSource
from millefeuille.transfer.beside import Beside, helpers

_PIECE: Final = 512 << 10  # bytes read at a time
_PROCESSES: Final = 8  # at most
_WORTH: Final = 4 << 20  # bytes of layers below which another process is slower

Wanted = tuple[Descriptor, Digest]


def in_place(source: ArchiveSource, wanted: Sequence[Wanted]) -> dict[Digest, LayerIndex]:
    """The index of each wanted layer, by the blob's digest; `wanted` has the largest first.

    Raises CorruptBlob, BrokenStream, Bomb, TarError, ShortArchive, BlobNotFound.
    """
    heap.share_arenas()
    own, *others = _dealt(wanted, min(1 + helpers(), _PROCESSES))
    with contextlib.ExitStack() as stack:
        started = [(stack.enter_context(Beside(partial(_work, source, each))), each) for each in others]
        found = dict(_index(source, one) for one in own)
        for helper, each in started:
            for one, index in zip(each, helper.parts() or [memoryview(b"")] * len(each), strict=True):
                # Where the other could not, the layer is read again to know why.
                found |= {one[0].digest: LayerIndex(index)} if index else dict([_index(source, one)])
    return found


def hold(blob: Descriptor, promised: Digest, digest: Digest, size: int, diff_id: Digest) -> None:
    """Hold that a layer is what its descriptor and the image config promise. Raises CorruptBlob."""
    if digest != blob.digest or size != blob.size:
        raise CorruptBlob(f"blob {blob.digest}: does not match its digest")
    if diff_id != promised:
        raise CorruptBlob(f"blob {blob.digest}: is not the layer {promised} that the image config promises")


def _dealt(wanted: Sequence[Wanted], most: int) -> list[list[Wanted]]:
    """The layers in heaps of about the same size, `most` at most; the largest come first in `wanted`."""
    if sum(blob.size for blob, _ in wanted) < _WORTH:
        return [list(wanted)]
    heaps: list[list[Wanted]] = [[] for _ in range(most)]
    sizes = [0] * most
    for one in wanted:
        lightest = sizes.index(min(sizes))
        heaps[lightest].append(one)
        sizes[lightest] += one[0].size
    return [each for each in heaps if each]


def _index(source: ArchiveSource, wanted: Wanted) -> tuple[Digest, LayerIndex]:
    blob, diff_id = wanted
    stream = source.open(blob)
    if _is_plain(stream):
        return blob.digest, LayerIndex.made(_plain(stream, blob, diff_id))
    return blob.digest, LayerIndex(_inflated(stream, blob, diff_id))


def _encoded(stream: MemberStream, blob: Descriptor, diff_id: Digest) -> bytes:
    if _is_plain(stream):
        return _plain(stream, blob, diff_id).finish(ordered=False)
    return _inflated(stream, blob, diff_id)


def _is_plain(stream: MemberStream) -> bool:
    head = bytearray(compression.MAGIC_SIZE)
    stream.readinto(head)
    return compression.sniff(bytes(head)) == "none"


def _inflated(stream: MemberStream, blob: Descriptor, diff_id: Digest) -> bytes:
    reading = LayerPass(None, algorithm=blob.digest.algorithm)
    try:
        for piece in _pieces(stream, CHUNK):
            reading.feed(piece)
        content = reading.finish()
    except BaseException:
        reading.abort()
        raise
    hold(blob, diff_id, content.digest, content.size, content.diff_id)
    return content.index


def _plain(stream: MemberStream, blob: Descriptor, diff_id: Digest) -> IndexBuilder:
    """A layer that is no compressed stream: in large pieces, hashed by another thread."""
    hashers = {name: hashlib.new(name) for name in {blob.digest.algorithm, "sha256"}}
    stage: Stage[bytes] = Stage("hash", partial(_update, list(hashers.values())))
    builder = IndexBuilder()
    parser = TarParser(builder)
    consumed = 0
    try:
        for piece in _pieces(stream, _PIECE):
            stage.put(piece)
            consumed += len(piece)
            parser.feed(piece, consumed)
        stage.close()
    finally:
        stage.stop()
    digest = Digest(blob.digest.algorithm, hashers[blob.digest.algorithm].hexdigest())
    plain = Digest("sha256", hashers["sha256"].hexdigest())
    # What is said of a damaged layer is that it is damaged, not what the tar looks like for it.
    hold(blob, diff_id, digest, consumed, plain)
    parser.finish()
    return builder


def _update(hashers: Sequence[Any], piece: bytes) -> None:
    for hasher in hashers:
        hasher.update(piece)


def _pieces(stream: MemberStream, largest: int) -> Iterator[bytes]:
    descriptor, start, size = stream.place
    at = start
    while at < start + size:
        piece = os.pread(descriptor, min(largest, start + size - at), at)
        if not piece:
            raise ShortArchive("unexpected EOF")
        yield piece
        at += len(piece)


def _work(source: ArchiveSource, wanted: Sequence[Wanted]) -> Iterator[bytes]:
    """The indexes of layers, encoded; nothing for one that failed."""
    for blob, diff_id in wanted:
        try:
            yield _encoded(source.open(blob), blob, diff_id)
        except MilleError:
            yield b""
