"""What a Dockerfile should come to, written by hand, for what no other builder at hand knows.

A tree is told in lines, only of what is not as in the base image:

    d 755 0:0 /dir
    f 644 0:0 /dir/file "text\\n"
    l 0:0 /dir/link -> file
    = /dir/file2 /dir/file
    - /removed
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.walks.building.context import Files
from tests.walks.building.image import Node, Tree, names


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A Dockerfile, its context, and the changes to the base's tree; `config` names what of it is looked at.

    In the Dockerfile and in the options `{context}` is the context's directory, and `{url}` where its files
    are served; `fails` is a part of the message of a build that does not come to an end,
    `open` tells what we do not do yet.
    """

    name: str
    dockerfile: str
    tree: str = ""
    files: Files = field(default_factory=dict)
    options: tuple[str, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    fails: str = ""
    open: str = ""


def told(tree: Tree, base: Tree) -> str:
    """The changes from `base` to `tree`, in the lines that the head of this module shows."""
    return "\n".join(_lines(tree, base))


def wanted(text: str) -> str:
    """A tree as a table tells it, in the order of its paths."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "\n".join(sorted(lines, key=_path))


def _path(line: str) -> str:
    words = line.split(" ")
    return {"d": words[3:4], "f": words[3:4], "l": words[2:3]}.get(words[0], words[1:2])[0]


def _lines(tree: Tree, base: Tree) -> Iterator[str]:
    first = names(tree)
    for path in sorted(tree.keys() | base.keys()):
        node, old = tree.get(path), base.get(path)
        if node is None:
            yield f"- /{path}"
        elif old is None or _said(node) != _said(old):
            yield f"= /{path} /{first[path]}" if first[path] != path else _line(path, node)


def _said(node: Node) -> object:
    return node.kind, node.mode, node.uid, node.gid, node.data


def _line(path: str, node: Node) -> str:
    owner = f"{node.uid}:{node.gid}"
    if node.kind == "dir":
        return f"d {node.mode:o} {owner} /{path}"
    if node.kind == "link":
        return f"l {owner} /{path} -> {node.data}"
    return f"{node.kind[0]} {node.mode:o} {owner} /{path} {json.dumps(node.text.decode(errors='replace'))}"
