"""RootTree: the file system of a state of a build, as its layers' indexes tell it.

Nothing is mounted, and no tree is made: what an instruction does not name is not looked at.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from types import TracebackType

from blake3 import blake3

from millefeuille.annotations import Final, Self
from millefeuille.build.copying import sparsefile
from millefeuille.layers.entry import FILE, SYMLINK
from millefeuille.layers.following import asserts_directory, follow
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.sparse import SparseContent
from millefeuille.layers.stacked import Inode, Stack
from millefeuille.store.disk import Disk
from millefeuille.store.filetree import DamagedContent, verified_index
from millefeuille.store.images import LayerRecord

_CHUNK: Final = 1 << 20  # bytes
_INDEXES: Final = 64  # that stay open
HOPS: Final = 255  # BuildKit's limit
_MEND: Final = "Mend it with `mille system check --data --repair`."


class RootTree:
    """The merged file system of `layers`, the lowest first; without any, an empty root. Close it after use.

    The layers stay readable while it is open, but are opened at the first question only: a lease has to hold
    them until then. Questions raise DamagedLayer, BrokenLink, OSError. One thread at a time.
    """

    def __init__(self, disk: Disk, layers: Sequence[LayerRecord]) -> None:
        self._disk = disk
        self._layers = layers
        self._tars: dict[int, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the layers."""
        while self._tars:
            os.close(self._tars.popitem()[1])

    def emptied(self) -> RootTree:
        """An empty root; it needs not be closed."""
        return RootTree(self._disk, ())

    def lookup(self, path: bytes) -> Inode | None:
        """What is at a path below the root, "" being the root; no links are followed. None for nothing."""
        return self._stack.lookup(path)

    def children(self, path: bytes) -> list[Inode]:
        """What the directory there holds, sorted by name; nothing when it is none."""
        return self._stack.children(path)

    def resolve(self, path: bytes, *, leaf: bool = True) -> bytes:
        """The path without links that `path` leads to inside of the root, whether anything is there or not.

        A link that it ends with is followed only for `leaf`, or when the path is written as a directory's.
        Raises TooManyLinks.
        """
        return follow(path, self._link, leaf=leaf or asserts_directory(path), most=HOPS)

    def find(self, path: bytes) -> Inode | None:
        """What `path` leads to, all links followed; None for nothing. Raises TooManyLinks."""
        return self.lookup(self.resolve(path))

    def read(self, path: bytes, most: int = 1 << 20) -> bytes | None:
        """The content of the regular file that `path` leads to, its first `most` bytes if it is longer.

        None when there is none. Raises TooManyLinks, DamagedContent.
        """
        inode = self.find(path)
        if inode is None or inode.entry.kind != FILE:
            return None
        return self.content(inode)[:most]

    def content(self, inode: Inode) -> bytes:
        """The whole content of a regular file. Raises DamagedContent."""
        descriptor, at = self.tar(inode)
        index = self._stack.index(inode)
        expected = index.content(inode.number)
        runs = index.sparse(inode.number)
        stored = inode.entry.size if runs is None else sum(length for _, length in runs)
        data = os.pread(descriptor, stored, at)
        while 0 < len(data) < stored and (more := os.pread(descriptor, stored - len(data), at + len(data))):
            data += more
        hasher = blake3() if runs is None else SparseContent(runs, inode.entry.size)
        hasher.update(memoryview(data))
        if len(data) != stored or (expected is not None and hasher.digest() != expected):
            raise self.damaged(inode)
        return data if runs is None else _expanded(data, runs, inode.entry.size)

    def verify(self, inode: Inode) -> None:
        """Read a regular file that is not sparse, to know that it is whole. Raises DamagedContent."""
        descriptor, at = self.tar(inode)
        hasher, end = blake3(), at + inode.entry.size
        while at < end and (data := os.pread(descriptor, min(_CHUNK, end - at), at)):
            hasher.update(data)
            at += len(data)
        if at < end or hasher.digest() != self.digest(inode):
            raise self.damaged(inode)

    def expanded(self, inode: Inode) -> int | bytes:
        """A sparse file's whole content: itself, or a descriptor at its start, the caller's to close.

        Raises DamagedContent, DiskFull.
        """
        runs = self._stack.index(inode).sparse(inode.number) or ()
        tar, at = self.tar(inode)
        made = sparsefile.expanded(tar, at, runs, inode.entry.size, self._disk.ingest)
        if made is None:
            return self.content(inode)
        descriptor, digest = made
        if digest != self.digest(inode):
            os.close(descriptor)
            raise self.damaged(inode)
        return descriptor

    def below(self, path: bytes) -> Iterator[Inode]:
        """All that is below the directory there, each directory before what is in it, the names sorted."""
        waiting = self.children(path)[::-1]
        while waiting:
            inode = waiting.pop()
            yield inode
            if inode.is_directory:
                waiting += reversed(self.children(inode.entry.path))

    def digest(self, inode: Inode) -> bytes | None:
        """blake3 digest of a regular file's content, as its layer's index has it; nothing is read."""
        return self._stack.content(inode)

    def is_sparse(self, inode: Inode) -> bool:
        """Whether a regular file's content does not lie in one piece in its layer's tar."""
        return inode.number >= 0 and self._stack.index(inode).sparse(inode.number) is not None

    def tar(self, inode: Inode) -> tuple[int, int]:
        """The tar that holds a regular file's content, still this tree's to close, and where that begins."""
        descriptor = self._tars.get(inode.layer)
        if descriptor is None:
            path = self._disk.tar(self._layers[inode.layer].diff_id)
            descriptor = self._tars[inode.layer] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        return descriptor, self._stack.index(inode).data_offset(inode.number)

    def damaged(self, inode: Inode) -> DamagedContent:
        """What to raise when a file's bytes are not those that its layer had when it came."""
        text = inode.entry.path.decode(errors="backslashreplace")
        return DamagedContent(
            f"/{text} in layer {self._layers[inode.layer].diff_id}: damaged in the store", advice=_MEND
        )

    @cached_property
    def _stack(self) -> Stack:
        return Stack([_index(self._disk, layer) for layer in self._layers])

    def _link(self, path: bytes) -> bytes | None:
        inode = self.lookup(path)
        return inode.entry.link if inode is not None and inode.entry.kind == SYMLINK else None


@lru_cache(maxsize=_INDEXES)
def _index(disk: Disk, layer: LayerRecord) -> LayerIndex:
    """A layer's index; the steps of a build ask for those of the same layers again and again."""
    return verified_index(disk, layer)


def _expanded(data: bytes, runs: Sequence[tuple[int, int]], size: int) -> bytes:
    whole, at = bytearray(size), 0
    for offset, length in runs:
        whole[offset : offset + length] = data[at : at + length]
        at += length
    return bytes(whole)
