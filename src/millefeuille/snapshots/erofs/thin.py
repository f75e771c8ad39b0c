"""Thin images: what one layer changes, as a metadata image of its own, with overlayfs's marks in it.

Laid over the mount of the layers below, it shows what the merged image of them all would. It is made from
that layer's index alone, so its cost is the layer's, not the chain's. Not every layer says enough for that:
one with a directory that no entry names, or with a hard link to a file below, has to be merged.

Source: Linux Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories"; a directory with
whiteouts that is not merged shows them unless it has an origin (fs/overlayfs/readdir.c).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from millefeuille.annotations import Final
from millefeuille.layers.entry import NO_XATTRS, OPAQUE, WHITEOUT
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.tree import NO_ENTRY, Merger, Node
from millefeuille.layers.walk import attributes_of

_OVERLAY: Final = b"trusted.overlay."
_OPAQUE: Final = (_OVERLAY + b"opaque", b"y")
_ORIGIN: Final = (_OVERLAY + b"origin", b"")


def thin_tree(index: LayerIndex, below: int) -> Node | None:
    """The tree of one layer, as overlayfs wants it; `below` is a descriptor of the root that it will lie on.

    None for a layer that does not say enough. Raises BrokenLink, OSError.
    """
    if index.lower_links:
        return None
    merger = Merger()
    merger.add(index)
    root = merger.root
    if root.entry == NO_ENTRY:
        _adopt(root, below)
    for node in _nodes(root):
        unnamed = node.children is not None and node.entry == NO_ENTRY and node is not root
        if unnamed or any(name.startswith(_OVERLAY) for name in node.xattrs):
            return None
    return root if all(_marked(merger, *mark) for mark in _marks(index)) else None


def _adopt(root: Node, below: int) -> None:
    status = os.fstat(below)
    root.mode, root.uid, root.gid = status.st_mode, status.st_uid, status.st_gid
    root.mtime, root.nsec = divmod(status.st_mtime_ns, 1_000_000_000)
    root.xattrs = attributes_of(below)


def _nodes(root: Node) -> Iterator[Node]:
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending += (node.children or {}).values()


def _marks(index: LayerIndex) -> Iterator[tuple[bytes, int]]:
    kinds = bytes(index.kinds)
    for mark in (WHITEOUT, OPAQUE):
        number = kinds.find(mark)
        while number >= 0:
            yield index.path(number), mark
            number = kinds.find(mark, number + 1)


def _marked(merger: Merger, path: bytes, mark: int) -> bool:
    """Put a mark where overlayfs looks for it; False where there is no place for it."""
    if mark == OPAQUE:
        node = merger.find(path) if path else None  # overlayfs lays roots over each other whatever they have
        if node is None or node.children is None:
            return False
        _add(node, _OPAQUE)
        return True
    parent, _, leaf = path.rpartition(b"/")
    directory = merger.find(parent)
    if directory is None or directory.children is None:
        return False
    found = directory.children.get(leaf)
    if found is None:
        directory.children[leaf] = Node(stat.S_IFCHR, 0, 0, 0, 0, 0, 0, NO_ENTRY, 0, NO_XATTRS)
        _add(directory, _ORIGIN)
    elif found.children is not None:
        _add(found, _OPAQUE)
    return True


def _add(node: Node, attribute: tuple[bytes, bytes]) -> None:
    node.xattrs = {**node.xattrs, attribute[0]: attribute[1]}
