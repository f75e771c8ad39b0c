"""Indexing layers where they lie in a file, on several processors.

Reading headers is work in Python, of which one process does no more than one at a time. So the layers are
dealt out to as many processes as there are processors; each is a copy of this one that sends the indexes
back, and ends.
"""

from __future__ import annotations

import hashlib
import os
import signal
import struct
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO, Final

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

_PIECE: Final = 512 << 10  # bytes read at a time
_LENGTH: Final = struct.Struct("<Q")
_WORTH: Final = 4 << 20  # bytes of layers below which another process is slower

Wanted = tuple[Descriptor, Digest]


def in_place(source: ArchiveSource, wanted: Sequence[Wanted]) -> dict[Digest, LayerIndex]:
    """The index of each wanted layer, by the blob's digest; `wanted` has the largest first.

    Raises CorruptBlob, BrokenStream, Bomb, TarError, ShortArchive, BlobNotFound.
    """
    heap.share_arenas()
    first, second = _dealt(wanted)
    if not second or len(os.sched_getaffinity(0)) < 2 or threading.active_count() > 1:
        return dict(_index(source, one) for one in wanted)
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _work(source, second, writer)  # does not return
    os.close(writer)
    try:
        with open(reader, "rb") as pipe:
            found = dict(_index(source, one) for one in first)
            for one in second:
                found |= _received(pipe, source, one)
    finally:
        os.kill(child, signal.SIGKILL)  # it has nothing more to say, or nobody listens any more
        os.waitpid(child, 0)
    return found


def hold(blob: Descriptor, promised: Digest, digest: Digest, size: int, diff_id: Digest) -> None:
    """Hold that a layer is what its descriptor and the image config promise. Raises CorruptBlob."""
    if digest != blob.digest or size != blob.size:
        raise CorruptBlob(f"blob {blob.digest}: does not match its digest")
    if diff_id != promised:
        raise CorruptBlob(f"blob {blob.digest}: is not the layer {promised} that the image config promises")


def _dealt(wanted: Sequence[Wanted]) -> tuple[list[Wanted], list[Wanted]]:
    """The layers in two heaps of about the same size; the largest come first in `wanted`."""
    heaps: tuple[list[Wanted], list[Wanted]] = ([], [])
    sizes = [0, 0]
    if sum(blob.size for blob, _ in wanted) < _WORTH:
        return list(wanted), []
    for one in wanted:
        lighter = sizes.index(min(sizes))
        heaps[lighter].append(one)
        sizes[lighter] += one[0].size
    return heaps


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


def _work(source: ArchiveSource, wanted: Sequence[Wanted], writer: int) -> None:
    """Index layers in a process of its own, and send each index behind its length: 0 for one that failed."""
    try:
        with open(writer, "wb") as pipe:
            for blob, diff_id in wanted:
                try:
                    index = _encoded(source.open(blob), blob, diff_id)
                except MilleError:
                    index = b""
                pipe.write(_LENGTH.pack(len(index)))
                pipe.write(index)
    finally:
        # Nothing of what this process is a copy of may run: no exit handlers, no flushing of its buffers.
        os._exit(0)


def _received(pipe: BinaryIO, source: ArchiveSource, wanted: Wanted) -> dict[Digest, LayerIndex]:
    """The index that the other process sent; where it could not, the layer is read again to know why."""
    head = pipe.read(_LENGTH.size)
    size = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
    index = pipe.read(size)
    if not size or len(index) != size:
        return dict([_index(source, wanted)])
    return {wanted[0].digest: LayerIndex(index)}
