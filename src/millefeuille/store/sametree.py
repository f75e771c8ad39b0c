"""Same tree: the proof that two stacks of layers show the same files, to the last byte and the last field."""

from __future__ import annotations

from millefeuille.layers.entry import FILE
from millefeuille.layers.tree import Node
from millefeuille.store.filetree import FileTree, metadata


def unlike(one: FileTree, other: FileTree) -> bytes | None:
    """The first path at which they differ; None when they do not.

    Content is held against content by its hash, or read where none was taken; names of one file have to be
    names of one file in both. Raises BrokenLink, DamagedContent.
    """
    twins: dict[int, int] = {}
    pending: list[tuple[bytes, Node, Node]] = [(b"", one.root, other.root)]
    while pending:
        path, a, b = pending.pop()
        if metadata(path, a) != metadata(path, b) or (a.children is None) != (b.children is None):
            return path
        if a.children is not None and b.children is not None:
            prefix = path + b"/" if path else b""
            if a.children.keys() != b.children.keys():
                return prefix + min(a.children.keys() ^ b.children.keys())
            pending += [(prefix + name, a.children[name], b.children[name]) for name in a.children]
        elif twins.setdefault(id(a), id(b)) != id(b) or a.nlink != b.nlink or _differ(one, a, other, b):
            return path
    return None


def _differ(one: FileTree, a: Node, other: FileTree, b: Node) -> bool:
    """Whether the content of two inodes differs; only files have some."""
    if metadata(b"", a).kind != FILE:
        return False
    ours, theirs = one.content_digest(a), other.content_digest(b)
    if ours is not None and theirs is not None:
        return ours != theirs
    return _bytes(one, a) != _bytes(other, b)


def _bytes(tree: FileTree, node: Node) -> bytes:
    found = bytearray(node.size)
    for offset, data in tree.content(node):
        found[offset : offset + len(data)] = data
    return bytes(found)
