"""Tar context: a build context that comes as an archive, from standard input or a URL, made a directory.

    chunks ──► inflate ──► the tar in a file, and its index ──► the merged tree ──► files in a directory

The index is that of layers, made by the one tar parser; the files are written as those of layers are, and
belong to whoever builds. What no layer may hold, no context may.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from millefeuille import files
from millefeuille.annotations import Final, NamedTuple
from millefeuille.errors import MilleError, Unsupported
from millefeuille.layers import header
from millefeuille.layers.entry import OPAQUE, WHITEOUT
from millefeuille.layers.header import BLOCK_SIZE
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.ingest import CHUNK, LayerPass
from millefeuille.layers.tree import Merger, Node
from millefeuille.snapshots.overlay.difference import difference
from millefeuille.snapshots.overlay.extract import extract
from millefeuille.transfer.archive.decompression import archive_inflater, sniff_archive

HEAD: Final = 64 << 10  # bytes of a stream that tell what it is


class MarkedName(Unsupported):
    """An archive has a file with a name that marks deletions in layers."""


class Unpacked(NamedTuple):
    """An archive made files: the directory, and the time of its newest entry in seconds, None of no entry."""

    root: str
    newest: int | None


def is_archive(head: bytes) -> bool:
    """Whether a stream that begins with this is a tar, plain or compressed; else it may be a Dockerfile."""
    try:
        kind = sniff_archive(head)
        block = b""
        for piece in archive_inflater(kind).feed(head):
            block += bytes(piece[: BLOCK_SIZE - len(block)])
            if len(block) == BLOCK_SIZE:
                break
        if len(block) < BLOCK_SIZE or block == header.ZERO_BLOCK:
            return len(block) == BLOCK_SIZE
        header.decode(memoryview(block))
    except MilleError:
        return False
    return True


def unpack(chunks: Iterable[bytes], directory: str) -> Unpacked:
    """Make files of an archive, below the empty `directory`, which is removed by the caller in any case.

    Raises BrokenStream, Bomb, TarError, BrokenLink, MarkedName, AttributesRefused, DiskFull, Failed, and what
    `chunks` raises.
    """
    root = f"{directory}/context"
    with files.explained(directory, root=directory):
        tar = files.create(f"{directory}/context.tar")
        try:
            files.unlink(f"{directory}/context.tar")
            index = _spool(chunks, tar)
            files.make_directory(root)
            _write(root, index, tar)
        except OSError as error:
            raise files.explain(error, directory, root=directory) from error
        finally:
            os.close(tar)
    return Unpacked(root, max(index.mtimes, default=None))


def _spool(chunks: Iterable[bytes], tar: int) -> LayerIndex:
    """Write the plain tar to `tar`; its index."""
    reading = LayerPass(None)
    try:
        inflater = None
        for chunk in _whole(chunks):
            inflater = inflater or archive_inflater(sniff_archive(chunk))
            for piece in inflater.feed(chunk):
                files.write(tar, piece)
                reading.feed(bytes(piece))
        if inflater is not None:
            inflater.finish()
        return LayerIndex(reading.finish().index)
    except BaseException:
        reading.abort()
        raise


def _whole(chunks: Iterable[bytes]) -> Iterable[bytes]:
    """The same bytes, in pieces long enough to tell a compression."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        if len(waiting) >= CHUNK:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def _write(root: str, index: LayerIndex, tar: int) -> None:
    kinds = bytes(index.kinds)
    for mark in (WHITEOUT, OPAQUE):
        number = kinds.find(mark)
        if number >= 0:
            raise MarkedName(f"{os.fsdecode(index.path(number))!r}: the context marks this path as deleted")
    merger = Merger()
    directories = difference(merger, index)
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        owner = os.fstat(descriptor)
        _give_all(merger.root, owner.st_uid, owner.st_gid)
        # Where devices may not be made they are left out, as in a user namespace.
        extract(descriptor, directories, [tar], marks="user")
    finally:
        os.close(descriptor)


def _give_all(root: Node, uid: int, gid: int) -> None:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        node.uid, node.gid = uid, gid
        waiting += (node.children or {}).values()
