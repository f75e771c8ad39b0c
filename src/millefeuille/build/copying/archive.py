"""Archive: a tar, plain or compressed, that ADD extracts: spooled as a plain tar, told by an index.

It is read by the parser that reads layers, and by its rules: no name leaves the root, names that pass through
the archive's own symlinks end where these lead inside of it, the last entry of a name counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.build.copying import sparsefile
from millefeuille.errors import MilleError, Unsupported
from millefeuille.layers import header
from millefeuille.layers.entry import OPAQUE, WHITEOUT
from millefeuille.layers.header import BLOCK_SIZE, ZERO_BLOCK
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.index_builder import IndexBuilder
from millefeuille.layers.stacked import Inode, Stack
from millefeuille.layers.tar import TarParser
from millefeuille.transfer.archive.decompression import archive_inflater, sniff_archive

_CHUNK: Final = 256 << 10  # bytes


class MarkedName(Unsupported):
    """An archive has a file with a name that marks deletions in layers."""


class Archive:
    """An archive's files. `tar` is a descriptor of it as a plain tar, closed with it.

    What has to be made of it on the way lies in nameless files in `directory`.
    """

    def __init__(self, tar: int, index: LayerIndex, directory: str) -> None:
        self._tar = tar
        self._directory = directory
        self._index = index
        self._stack = Stack([index])

    def close(self) -> None:
        """Let go of the tar."""
        os.close(self._tar)

    def inodes(self, path: bytes = b"") -> Iterator[Inode]:
        """All that is in it, each directory before what is in it, names sorted; links as what they lead to.

        Directories that no entry names have no number. Raises BrokenLink.
        """
        waiting = self._stack.children(path)[::-1]
        while waiting:
            inode = waiting.pop()
            yield inode
            if inode.is_directory:
                waiting += reversed(self._stack.children(inode.entry.path))

    def open(self, inode: Inode) -> int:
        """A descriptor at the start of a regular file's content, the caller's to close.

        What is behind the content is not to be read. Raises DiskFull, OSError.
        """
        at, runs = self._index.data_offset(inode.number), self._index.sparse(inode.number)
        if runs is not None:
            made = sparsefile.expanded(self._tar, at, runs, inode.entry.size, self._directory)
            assert made is not None  # the archive itself lies in such a file
            return made[0]
        descriptor = os.open(f"/proc/self/fd/{self._tar}", os.O_RDONLY | os.O_CLOEXEC)
        os.lseek(descriptor, at, os.SEEK_SET)
        return descriptor

    def newest(self) -> int:
        """The time of its newest entry, in seconds; 0 when it has none."""
        return max(self._index.mtimes, default=0)


def is_archive(descriptor: int) -> bool:
    """Whether a file is a tar, plain or compressed: whether its first header can be read."""
    try:
        head = os.pread(descriptor, _CHUNK, 0)
        block = bytearray()
        for piece in archive_inflater(sniff_archive(head)).feed(head):
            block += piece[: BLOCK_SIZE - len(block)]
            if len(block) == BLOCK_SIZE:
                break
        if len(block) < BLOCK_SIZE or block == ZERO_BLOCK:
            return False
        header.decode(memoryview(bytes(block)))
    except MilleError:
        return False
    return True


def opened(descriptor: int, directory: str) -> Archive:
    """The archive in a file; what has to be inflated lies in a nameless file in `directory`.

    Raises BrokenStream, Bomb, TarError, MarkedName, DiskFull, Failed.
    """
    with files.explained(directory, root=directory):
        tar = files.create_nameless(directory)
        if tar is None:
            raise Unsupported(f"{directory}: the file system makes no nameless files")
        try:
            index = _spooled(descriptor, tar)
            _check(index)
        except BaseException:
            os.close(tar)
            raise
    return Archive(tar, index, directory)


def _spooled(descriptor: int, tar: int) -> LayerIndex:
    """Write the plain tar to `tar`; its index."""
    builder = IndexBuilder()
    parser = TarParser(builder, hash_contents=False)
    inflater, at = None, 0
    while chunk := os.pread(descriptor, _CHUNK, at):
        at += len(chunk)
        inflater = inflater or archive_inflater(sniff_archive(chunk))
        for piece in inflater.feed(chunk):
            files.write(tar, piece)
            parser.feed(piece)
    if inflater is not None:
        inflater.finish()
    parser.finish()
    return LayerIndex(builder.finish())


def _check(index: LayerIndex) -> None:
    kinds = bytes(index.kinds)
    for mark in (WHITEOUT, OPAQUE):
        number = kinds.find(mark)
        if number >= 0:
            raise MarkedName(f"/{os.fsdecode(index.path(number))}: the archive marks this path as deleted")
    for code, path in index.notes():
        if code == "aufs":
            raise MarkedName(f"{os.fsdecode(path)}: the archive has a mark of aufs")
