"""`mille image ls-files`."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from millefeuille.docker import rfc3339
from millefeuille.docker.columns import FILES
from millefeuille.docker.units import human_size
from millefeuille.faces.cli.command import Call, Command, Context, between
from millefeuille.faces.cli.escaped import escaped
from millefeuille.faces.cli.image.inside import PLATFORM, opened
from millefeuille.faces.cli.options import FORMAT_TABLE_HELP, boolean, string
from millefeuille.faces.cli.rendered import render
from millefeuille.images.files import ImageFiles
from millefeuille.layers.tree import Node

DIRECTORY = boolean("directory", "List directories themselves, not what is in them", short="d")
FORMAT = string("format", FORMAT_TABLE_HELP)
HUMAN = boolean("human", "Print sizes in human readable format", short="H")
LONG = boolean("long", "Show mode, owner, size and time too", short="l")
RECURSIVE = boolean("recursive", "List what is in directories below too", short="R")

_TYPES = {
    stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFCHR: "character",
    stat.S_IFBLK: "block", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket",
}  # fmt: skip


def run(context: Context, call: Call) -> int:
    """Print the names of files in an image, one a line, without mounting anything."""
    image, *rest = call.arguments
    with opened(context, image, call[PLATFORM]) as files:
        found, node = files.find(rest[0] if rest else "/", leaf=not call[DIRECTORY])
        listed = _listed(found, node, recursive=call[RECURSIVE], itself=call[DIRECTORY])
        if call[FORMAT]:
            rows = (_row(files, path, node) for path, node in listed)
            context.terminal.write(render(FILES, rows, call[FORMAT]))
        else:
            for path, node in listed:
                context.terminal.line(
                    _long(path, node, human=call[HUMAN]) if call[LONG] else _name(path, node)
                )
    return 0


def _listed(path: bytes, node: Node, *, recursive: bool, itself: bool) -> Iterator[tuple[bytes, Node]]:
    """What is listed of `node`, sorted by path; with what is below, when `recursive`."""
    if node.children is None or itself:
        yield path, node
        if node.children is None or not recursive:
            return
    pending = _children(path, node)
    while pending:
        path, node = pending.pop()
        yield path, node
        if recursive and node.children:
            pending += _children(path, node)


def _children(path: bytes, node: Node) -> list[tuple[bytes, Node]]:
    prefix = path + b"/" if path else b""
    return [(prefix + name, child) for name, child in sorted((node.children or {}).items(), reverse=True)]


def _name(path: bytes, node: Node) -> str:
    return f"/{escaped(path)}/" if node.children is not None and path else f"/{escaped(path)}"


def _long(path: bytes, node: Node, *, human: bool) -> str:
    size = human_size(node.size, 3) if human else str(node.size)
    if stat.S_ISCHR(node.mode) or stat.S_ISBLK(node.mode):
        size = f"{os.major(node.rdev)},{os.minor(node.rdev)}"
    time = rfc3339.exact(node.mtime * rfc3339.SECOND)[:19].replace("T", " ")
    arrow = f" -> {escaped(node.link)}" if stat.S_ISLNK(node.mode) else ""
    owner = f"{node.uid}:{node.gid}"
    return f"{stat.filemode(node.mode)} {owner:>11} {size:>10} {time} {_name(path, node)}{arrow}"


def _row(files: ImageFiles, path: bytes, node: Node) -> dict[str, str]:
    layer = files.layer(node)
    return {
        "Path": os.fsdecode(b"/" + path),
        "Type": _TYPES[stat.S_IFMT(node.mode)],
        "Mode": f"{stat.S_IMODE(node.mode):04o}",
        "UID": str(node.uid),
        "GID": str(node.gid),
        "Size": str(node.size),
        "ModifiedAt": rfc3339.exact(node.mtime * rfc3339.SECOND + node.nsec),
        "Link": os.fsdecode(node.link),
        "Layer": str(layer.diff_id) if layer else "",
    }


COMMAND = Command(
    usage="[OPTIONS] IMAGE [PATH]",
    arguments=between(1, 2),
    options=(
        DIRECTORY,
        FORMAT,
        HUMAN,
        LONG,
        PLATFORM,
        RECURSIVE,
    ),
    run=run,
    complete="image",
)
