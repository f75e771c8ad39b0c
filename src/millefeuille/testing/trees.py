"""A merged tree in words, for tests: what each path is, and what reading it gives."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence

from millefeuille.layers.tree import Node


def describe(root: Node, tars: Sequence[bytes]) -> dict[bytes, str]:
    """Every path below the root, in the words that `hostile.Case` tells; `tars` are the layers' bytes."""
    return {path: _words(node, tars) for path, node in walk(root) if path}


def walk(root: Node) -> Iterator[tuple[bytes, Node]]:
    """Every path with its inode, the root "" first."""
    pending = [(b"", root)]
    while pending:
        path, node = pending.pop()
        yield path, node
        for name, child in (node.children or {}).items():
            pending.append((path + b"/" + name if path else name, child))


def content(node: Node, tar: bytes) -> bytes:
    """What reading a regular file gives."""
    if node.sparse is None:
        return tar[node.offset : node.offset + node.size]
    data, at = bytearray(node.size), node.offset
    for offset, length in node.sparse:
        data[offset : offset + length] = tar[at : at + length]
        at += length
    return bytes(data)


def _words(node: Node, tars: Sequence[bytes]) -> str:
    if stat.S_ISREG(node.mode):
        return "f " + content(node, tars[node.layer]).decode("latin-1")
    if stat.S_ISLNK(node.mode):
        return "l " + node.link.decode("latin-1")
    if stat.S_ISCHR(node.mode) or stat.S_ISBLK(node.mode):
        kind = "c" if stat.S_ISCHR(node.mode) else "b"
        return f"{kind} {os.major(node.rdev)}:{os.minor(node.rdev)}"
    return "d" if stat.S_ISDIR(node.mode) else "p"
