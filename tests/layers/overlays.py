"""Overlays over directories, and what the merger and the kernel say of a tree, in the same words."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from millefeuille.layers.changes import Written
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.ingest import LayerPass
from millefeuille.layers.tarstream import Member, tar_pieces
from millefeuille.layers.tree import Node, merge
from millefeuille.snapshots import attach
from millefeuille.testing.trees import content, walk

Words = dict[bytes, tuple[object, ...]]


class Overlay:
    """`lower` is a plain directory, `root` the descriptor of the overlay over it."""

    def __init__(self, top: Path, *, marks: str = "trusted") -> None:
        self.lower, self.upper, self.marks = top / "lower", top / "upper", marks
        for path in (self.lower, self.upper, top / "work"):
            path.mkdir()
        self._top = top
        self._stack = contextlib.ExitStack()
        self.root = -1

    def __enter__(self) -> Overlay:
        flags = os.O_PATH | os.O_DIRECTORY
        lower = os.open(self.lower, flags)
        try:
            options = [
                ("lowerdir+", lower), ("upperdir", str(self.upper)), ("workdir", str(self._top / "work")),
                ("redirect_dir", "nofollow"), ("index", "off"), ("metacopy", "off"),
            ]  # fmt: skip
            if self.marks == "user":
                options.append(("userxattr", None))
            self.root = attach.detached("overlay", options)
        finally:
            os.close(lower)
        return self

    def __exit__(self, *rest: object) -> None:
        os.close(self.root)

    @property
    def path(self) -> str:
        """A path that leads to the overlay, for this process."""
        return f"/proc/self/fd/{self.root}"

    @contextlib.contextmanager
    def written(self) -> Iterator[Written]:
        upper = os.open(self.upper, os.O_RDONLY | os.O_DIRECTORY)
        lower = os.open(self.lower, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield Written(upper=upper, lower=lower, marks=self.marks)
        finally:
            os.close(upper)
            os.close(lower)


def empty(directory: Path) -> None:
    """Remove what a test made, so that the next example can begin."""
    shutil.rmtree(directory, ignore_errors=True)


def tar_of(members: Iterable[Member]) -> bytes:
    return b"".join(tar_pieces(members))


def index_of(tar: bytes) -> LayerIndex:
    layer = LayerPass(None)
    layer.feed(tar)
    return LayerIndex(layer.finish().index)


def merged(*tars: bytes) -> Words:
    """The tree of these layers, each path in words; times in seconds."""
    root = merge([index_of(tar) for tar in tars])
    names: dict[int, list[bytes]] = {}
    for path, node in walk(root):
        names.setdefault(id(node), []).append(path)
    return {path: _of_node(node, tars, sorted(names[id(node)])[0]) for path, node in walk(root) if path}


def _of_node(node: Node, tars: tuple[bytes, ...], first: bytes) -> tuple[object, ...]:
    data: object = node.link or node.rdev
    if stat.S_ISREG(node.mode):
        data = hashlib.sha256(content(node, tars[node.layer])).hexdigest()
    return node.mode, node.uid, node.gid, node.mtime, data, first, dict(node.xattrs)


def seen(root: str) -> Words:
    """A tree on the disk, in the same words."""
    names: dict[tuple[int, int], list[bytes]] = {}
    found = {}
    top = os.fsencode(root) + b"/."
    for folder, folders, leaves in os.walk(top):
        for name in (*folders, *leaves):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            if not stat.S_ISSOCK(status.st_mode):
                plain = os.path.relpath(path, top)
                found[plain] = (path, status)
                if not stat.S_ISDIR(status.st_mode):
                    names.setdefault((status.st_dev, status.st_ino), []).append(plain)
    return {
        plain: _of_file(path, status, min(names.get((status.st_dev, status.st_ino), [plain])))
        for plain, (path, status) in found.items()
    }


def _of_file(path: bytes, status: os.stat_result, first: bytes) -> tuple[object, ...]:
    data: object = status.st_rdev
    if stat.S_ISREG(status.st_mode):
        with open(path, "rb") as file:
            data = hashlib.sha256(file.read()).hexdigest()
    elif stat.S_ISLNK(status.st_mode):
        data = os.readlink(path)
    xattrs = {}
    if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
        for name in os.listxattr(path):
            if name.startswith("user.") and not name.startswith("user.overlay."):
                xattrs[os.fsencode(name)] = os.getxattr(path, name)
    return (
        status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns // 10**9, data, first, xattrs,
    )  # fmt: skip
