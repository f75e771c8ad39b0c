"""FileTree: what a stack of layers holds, told by their indexes and read from their tars.

Nothing is mounted, and root is not needed. Every byte that leaves is held against the hash which the index
has of its file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from types import TracebackType

from blake3 import blake3

from millefeuille.annotations import Final, Self
from millefeuille.errors import Corrupt, NotFound
from millefeuille.layers.carried import Carried, Run
from millefeuille.layers.entry import BLOCK, CHARACTER, DIRECTORY, FIFO, FILE, HARDLINK, SYMLINK
from millefeuille.layers.following import asserts_directory, follow
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.sparse import SparseContent
from millefeuille.layers.tarheader import Metadata
from millefeuille.layers.tree import Node, merge
from millefeuille.store.disk import Disk
from millefeuille.store.images import LayerRecord
from millefeuille.store.layers import DamagedLayer

_CHUNK: Final = 256 << 10  # bytes
_KINDS: Final = {
    stat.S_IFREG: FILE, stat.S_IFDIR: DIRECTORY, stat.S_IFLNK: SYMLINK, stat.S_IFCHR: CHARACTER,
    stat.S_IFBLK: BLOCK, stat.S_IFIFO: FIFO,
}  # fmt: skip
_MEND: Final = "Mend it with `mille system check --data --repair`."


class NoSuchFile(NotFound):
    """The image has nothing at the path."""


class DamagedContent(Corrupt):
    """A file's bytes are not those that the layer had when it came."""


class FileTree:
    """The files of an image called `name` in errors, by its layers, lowest first. Close it after use.

    What is open stays readable when the image is removed; so make it within the transaction that looks the
    layers up. Raises DamagedLayer, OSError.
    """

    def __init__(self, disk: Disk, layers: Sequence[LayerRecord], name: str) -> None:
        self._name = name
        self._layers = layers
        self._indexes = [verified_index(disk, layer) for layer in layers]
        self._tars: list[int] = []
        try:
            for layer in layers:
                self._tars.append(os.open(disk.tar(layer.diff_id), os.O_RDONLY | os.O_CLOEXEC))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the layers."""
        while self._tars:
            os.close(self._tars.pop())

    @cached_property
    def root(self) -> Node:
        """The merged tree. Raises BrokenLink."""
        return merge(self._indexes)

    def find(self, path: str, *, leaf: bool = True) -> tuple[bytes, Node]:
        """What is at `path`, and the path below the root that has no links in it.

        Links are followed inside of the image, one that the path ends with only for `leaf`. Raises
        NoSuchFile, TooManyLinks.
        """
        text = os.fsencode(path)
        is_directory = asserts_directory(text)
        found = follow(text, self._link, leaf=leaf or is_directory)
        node = self._node(found)
        if node is None or (is_directory and node.children is None):
            raise NoSuchFile(f"Could not find the file {path} in image {self._name}")
        return found, node

    def layer(self, node: Node) -> LayerRecord | None:
        """The layer that a file comes from; None for the root of an image without layers."""
        return self._layers[node.layer] if self._layers else None

    def carried(self, node: Node) -> Iterator[Carried]:
        """`node` and all that is below it, each directory before what is in it, sorted by name."""
        names: dict[int, bytes] = {}
        pending = [(b"", node)]
        while pending:
            path, node = pending.pop()
            first = path if node.children is not None else names.setdefault(id(node), path)
            yield self._carried(path, node, first)
            prefix = path + b"/" if path else b""
            below = sorted((node.children or {}).items(), reverse=True)
            pending += [(prefix + name, child) for name, child in below]

    def content(self, node: Node) -> Iterator[Run]:
        """A regular file's data. Raises DamagedContent at its end, when it was not what it should be."""
        index = self._indexes[node.layer]
        expected = index.content(node.entry)
        tar = self._tars[node.layer]
        hasher = blake3() if node.sparse is None else SparseContent(node.sparse, node.size)
        at = node.offset
        for offset, length in ((0, node.size),) if node.sparse is None else node.sparse:
            for done in range(0, length, _CHUNK):
                wanted = min(_CHUNK, length - done)
                data = os.pread(tar, wanted, at + done)
                if len(data) != wanted:
                    raise self._damaged(node)
                hasher.update(memoryview(data))
                yield offset + done, data
            at += length
        if expected is not None and hasher.digest() != expected:
            raise self._damaged(node)

    def content_digest(self, node: Node) -> bytes | None:
        """The blake3 digest of a regular file's content; None when none was taken."""
        return self._indexes[node.layer].content(node.entry)

    def verify(self, node: Node) -> None:
        """Read a regular file once, for nothing but to know that it is whole. Raises DamagedContent."""
        for _ in self.content(node):
            pass

    def _carried(self, path: bytes, node: Node, first: bytes) -> Carried:
        entry = metadata(path, node)
        if first != path:
            return Carried(entry._replace(kind=HARDLINK, link=first, size=0))
        return Carried(entry, partial(self.content, node)) if entry.kind == FILE else Carried(entry)

    def _node(self, path: bytes) -> Node | None:
        node: Node | None = self.root
        for part in path.split(b"/") if path else ():
            node = node.children.get(part) if node is not None and node.children else None
        return node

    def _link(self, path: bytes) -> bytes | None:
        node = self._node(path)
        return node.link if node is not None and stat.S_ISLNK(node.mode) else None

    def _damaged(self, node: Node) -> DamagedContent:
        path = self._indexes[node.layer].path(node.entry)
        diff_id = self._layers[node.layer].diff_id
        text = path.decode(errors="backslashreplace")
        return DamagedContent(f"/{text} in layer {diff_id}: damaged in the store", advice=_MEND)


def metadata(path: bytes, node: Node) -> Metadata:
    """What a tar says of an inode under `path`."""
    kind = _KINDS[stat.S_IFMT(node.mode)]
    return Metadata(
        path=path, kind=kind, mode=stat.S_IMODE(node.mode), uid=node.uid, gid=node.gid, mtime=node.mtime,
        nsec=node.nsec, size=node.size if kind == FILE else 0, link=node.link, xattrs=node.xattrs,
        device=(os.major(node.rdev), os.minor(node.rdev)),
    )  # fmt: skip


def verified_index(disk: Disk, layer: LayerRecord) -> LayerIndex:
    """A layer's index, held against the hash that the database has of it. Raises DamagedLayer, OSError."""
    path = disk.layer_index(layer.diff_id)
    if blake3().update_mmap(path).hexdigest() != layer.index_hash:
        raise DamagedLayer(
            f"layer {layer.diff_id}: damaged in the store",
            advice="Mend it with `mille system check --repair`.",
        )
    return LayerIndex.open(path)
