"""The merged tree: what a stack of layers looks like from above, as inodes in memory.

The same rules for every driver, the analyser and single-file reads:

  * an entry replaces what the layers below, or earlier entries, have under its path; a directory over a
    directory only takes over its metadata;
  * a whiteout removes its path, an opaque mark the content of its directory, of the layers below only,
    whatever the order inside of the layer; neither makes a directory;
  * a parent that no entry names keeps what the layers below have there if that is a directory, and is
    0755 0:0 otherwise: a lower symlink with entries under it is hidden, and never followed;
  * a hard link is one more name for the inode that the merged tree has under its target's path then.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from millefeuille.layers.entry import (
    BLOCK,
    CHARACTER,
    DIRECTORY,
    FILE,
    HARDLINK,
    NO_XATTRS,
    OPAQUE,
    SYMLINK,
    TYPE_BITS,
    WHITEOUT,
    SparseMap,
)
from millefeuille.layers.index import BLOCK_SIZE, LayerIndex
from millefeuille.layers.refusal import BrokenLink, quoted
from millefeuille.layers.uncollected import uncollected

IMPLICIT_MODE = 0o040755
NO_ENTRY = -1  # the entry number of a directory that no entry names


class Node:
    """An inode of the merged tree; a file with several names is one Node in several places.

    `mode` has type bits and permissions; `mtime` is in seconds, `nsec` in nanoseconds; `size` in bytes.
    `layer` is the number of the layer it comes from, `entry` its number in that layer's index, `offset`
    where its data begins in that layer's uncompressed tar. `link` is a symlink's target, `rdev` a device's
    number. `children` is None for all but directories.
    """

    __slots__ = (
        "children", "entry", "gid", "layer", "link", "mode", "mtime", "nlink", "nsec", "offset", "rdev",
        "size", "sparse", "uid", "xattrs",
    )  # fmt: skip

    def __init__(
        self,
        mode: int,
        uid: int,
        gid: int,
        mtime: int,
        nsec: int,
        size: int,
        layer: int,
        entry: int,
        offset: int,
        xattrs: Mapping[bytes, bytes],
        children: dict[bytes, Node] | None = None,
    ) -> None:
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.mtime = mtime
        self.nsec = nsec
        self.size = size
        self.layer = layer
        self.entry = entry
        self.offset = offset
        self.xattrs = xattrs
        self.children = children
        self.nlink = 1 if children is None else 2
        self.link = b""
        self.rdev = 0
        self.sparse: SparseMap | None = None


class Merger:
    """Lays layers over each other, the lowest first. `root` is the tree of the `layers` added so far."""

    def __init__(self) -> None:
        self.layers = 0
        self.root = _implicit_directory(0)
        self._directories: dict[bytes, Node] = {}  # found so far by path, while a layer is laid over the tree

    def add(self, index: LayerIndex) -> None:
        """Lay one more layer over the tree. Raises BrokenLink; then the tree is of no further use."""
        paths = index.paths()
        with uncollected():  # looking for cycles among the nodes takes as long as making them
            self._remove_marked(index, paths)
            self._directories = {b"": self.root}
            self._apply(index, paths)
        self._directories = {}
        self.layers += 1

    def find(self, path: bytes) -> Node | None:
        """The inode under `path`, relative to the root; symlinks are not followed."""
        node: Node | None = self.root
        for part in path.split(b"/") if path else ():
            node = node.children.get(part) if node is not None and node.children else None
        return node

    def _remove_marked(self, index: LayerIndex, paths: Sequence[bytes]) -> None:
        kinds = bytes(index.kinds)
        for mark in (WHITEOUT, OPAQUE):
            number = kinds.find(mark)
            while number >= 0:
                self._remove(paths[number], mark)
                number = kinds.find(mark, number + 1)

    def _remove(self, path: bytes, mark: int) -> None:
        parent, _, leaf = path.rpartition(b"/")
        node = self.find(path if mark == OPAQUE else parent)
        if node is None or not node.children:
            return
        for name in list(node.children) if mark == OPAQUE else [leaf]:
            if name in node.children:
                _drop(node, name)

    def _apply(self, index: LayerIndex, paths: Sequence[bytes]) -> None:
        layer, directories = self.layers, self._directories
        sets, sparse = index.all_xattr_sets(), index.sparse_maps
        # Most files of a layer have one of few times, sizes and modes: an object for each of these numbers,
        # not one for each file.
        same: dict[int, int] = {}
        mtimes = [same.setdefault(mtime, mtime) for mtime in index.mtimes]
        sizes = [same.setdefault(size, size) for size in index.sizes]
        rows = zip(
            paths, index.kinds, index.modes, index.uids, index.gids, mtimes, index.nsecs, sizes,
            index.data_blocks, index.xattr_sets, range(len(paths)), strict=True,
        )  # fmt: skip
        for path, kind, mode, uid, gid, mtime, nsec, size, block, xattr_set, entry in rows:
            if kind >= WHITEOUT:
                continue
            parent_path, _, leaf = path.rpartition(b"/")
            parent = directories.get(parent_path) or self._parent(parent_path)
            if kind == HARDLINK:
                self._link(parent, path, index.link(entry))
                continue
            mode |= TYPE_BITS[kind]
            node = Node(
                same.setdefault(mode, mode), uid, gid, mtime, nsec, size, layer, entry, block * BLOCK_SIZE,
                sets[xattr_set],
            )  # fmt: skip
            if kind == DIRECTORY:
                self._put_directory(parent, path, node)
                continue
            if kind != FILE or (size and entry in sparse):
                _complete(node, index, kind)
            children = parent.children
            if children is None or leaf in children:
                self._put(parent, path, node)
            else:
                children[leaf] = node

    def _put(self, parent: Node, path: bytes, node: Node) -> None:
        """Give `node` the name that ends `path`; what had it before is gone from there."""
        leaf = path.rpartition(b"/")[2]
        if parent.children is None or not leaf:  # the parser lets neither through
            raise BrokenLink(f"the layer has an entry in the place of a directory ({quoted(path)})")
        old = parent.children.get(leaf)
        if old is not None:
            if old.children is not None:
                self._forget(path)
            _drop(parent, leaf)
        parent.children[leaf] = node

    def _put_directory(self, parent: Node, path: bytes, node: Node) -> None:
        leaf = path.rpartition(b"/")[2]
        old = (parent.children or {}).get(leaf) if path else self.root
        if old is None or old.children is None:
            node.children = {}
            node.nlink = 2
            node.offset = 0
            self._put(parent, path, node)
            parent.nlink += 1
            self._directories[path] = node
            return
        old.mode, old.uid, old.gid, old.xattrs = node.mode, node.uid, node.gid, node.xattrs
        old.mtime, old.nsec, old.layer, old.entry = node.mtime, node.nsec, node.layer, node.entry
        self._directories[path] = old

    def _link(self, parent: Node, path: bytes, target: bytes) -> None:
        node = self.find(target)
        if node is None or node.children is not None:
            what = "a directory" if node else "nothing"
            names = f"{quoted(path)} to {quoted(target)}"
            raise BrokenLink(f"layer {self.layers} has a hard link to {what} ({names})")
        if self.find(path) is not node:
            node.nlink += 1
            self._put(parent, path, node)

    def _parent(self, path: bytes) -> Node:
        """The directory under `path`, made where the layers below have none."""
        node, done = self.root, b""
        for part in path.split(b"/"):
            done = done + b"/" + part if done else part
            found = self._directories.get(done) or (node.children or {}).get(part)
            if found is None or found.children is None:
                found = _implicit_directory(self.layers)
                self._put(node, done, found)
                node.nlink += 1
            node = self._directories[done] = found
        return node

    def _forget(self, path: bytes) -> None:
        prefix = path + b"/"
        gone = [known for known in self._directories if known == path or known.startswith(prefix)]
        for known in gone:
            del self._directories[known]


def merge(indexes: Iterable[LayerIndex]) -> Node:
    """The root of the tree that these layers make, the lowest first. Raises BrokenLink."""
    merger = Merger()
    for index in indexes:
        merger.add(index)
    return merger.root


def _implicit_directory(layer: int) -> Node:
    return Node(IMPLICIT_MODE, 0, 0, 0, 0, 0, layer, NO_ENTRY, 0, NO_XATTRS, {})


def _complete(node: Node, index: LayerIndex, kind: int) -> None:
    """What only sparse files, links and devices have."""
    if kind == FILE:
        node.sparse = index.sparse(node.entry)
        return
    node.offset = 0
    node.link = index.link(node.entry)
    node.size = len(node.link)
    if kind == SYMLINK:
        node.mode |= 0o777  # Linux knows no other
        node.mode &= ~0o7000
    if kind in (CHARACTER, BLOCK):
        node.rdev = os.makedev(*index.device(node.entry))


def _drop(parent: Node, name: bytes) -> None:
    """Take a name away, and with a directory all that is below it."""
    node = (parent.children or {}).pop(name)
    if node.children is not None:
        parent.nlink -= 1
    pending = [node]
    while pending:
        node = pending.pop()
        node.nlink -= 1
        pending += (node.children or {}).values()
