"""Merged trees made by hand, the layers that hold their files' bytes, and what a mount of them must show."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from millefeuille.oci.digest import Digest
from millefeuille.snapshots.chain import Chain, LayerTar, chain_uuid
from millefeuille.snapshots.erofs.format import Device
from millefeuille.snapshots.erofs.image import write_image


class Node:
    """The fields of a merged inode that the image writer reads."""

    def __init__(self, mode: int, **fields: Any) -> None:
        self.mode = mode
        self.uid = self.gid = self.mtime = self.nsec = self.size = self.layer = self.offset = self.rdev = 0
        self.link = b""
        self.xattrs: dict[bytes, bytes] = {}
        self.nlink = 1
        self.sparse: tuple[tuple[int, int], ...] | None = None
        self.children: dict[bytes, Node] | None = None
        for name, value in fields.items():
            setattr(self, name, value)


def directory(children: dict[bytes, Node] | None = None, mode: int = 0o755, **fields: Any) -> Node:
    return Node(stat.S_IFDIR | mode, children={} if children is None else children, **fields)


def symlink(target: bytes, **fields: Any) -> Node:
    return Node(stat.S_IFLNK | 0o777, link=target, size=len(target), **fields)


@dataclass
class Layers:
    """Files that stand for layer tars: data at multiples of 512 bytes, one behind the other."""

    directory: Path
    contents: list[bytearray] = field(default_factory=lambda: [bytearray(512)])

    def file(self, data: bytes, mode: int = 0o644, layer: int = 0, **fields: Any) -> Node:
        while layer >= len(self.contents):
            self.contents.append(bytearray(512))
        content = self.contents[layer]
        offset = len(content)
        content += data + bytes(-len(data) % 512)
        fields.setdefault("size", len(data))
        return Node(stat.S_IFREG | mode, layer=layer, offset=offset, **fields)

    def chain(self, root: Any) -> Chain:
        """Write the layers and the metadata image of `root`."""
        layers = []
        for index, content in enumerate(self.contents):
            path = self.directory / f"layer-{index}.tar"
            path.write_bytes(content)
            diff_id = Digest("sha256", hashlib.sha256(content).hexdigest())
            layers.append(LayerTar(diff_id=diff_id, path=str(path), size=len(content)))
        return write_chain(self.directory, root, layers)


def write_chain(directory: Path, root: Any, layers: list[LayerTar]) -> Chain:
    devices = [Device(tag=layer.diff_id.hex, size=layer.size) for layer in layers]
    chain_id = Digest("sha256", hashlib.sha256(repr(layers).encode()).hexdigest())
    metadata = directory / "metadata.erofs"
    chain = Chain(id=chain_id, metadata=str(metadata), layers=tuple(layers))
    metadata.write_bytes(write_image(root, devices, uuid=chain_uuid(chain_id)))
    return chain


Facts = dict[bytes, tuple[Any, ...]]


def expected(root: Any, layers: tuple[LayerTar, ...]) -> Facts:
    """What `shown` must give for a mount of `root`, computed from the nodes and the layers alone."""
    facts: Facts = {}
    names: dict[int, list[bytes]] = {}
    pending = [(b".", root)]
    while pending:
        path, node = pending.pop()
        if node.children is not None:
            subdirectories = sum(child.children is not None for child in node.children.values())
            pending += [(path + b"/" + name, child) for name, child in node.children.items()]
            links = 2 + subdirectories
        else:
            names.setdefault(id(node), []).append(path)
            links = 0
        content = _content(node, layers)
        facts[path] = (
            node.mode, node.uid, node.gid, node.mtime * 10**9 + node.nsec, links,
            node.rdev, dict(node.xattrs or {}), content,
        )  # fmt: skip
    for paths in names.values():
        for path in paths:
            facts[path] = (*facts[path][:4], len(paths), *facts[path][5:], sorted(paths))
    return facts


def _content(node: Any, layers: tuple[LayerTar, ...]) -> bytes | None:
    if stat.S_ISLNK(node.mode):
        return bytes(node.link)
    if not stat.S_ISREG(node.mode):
        return None
    if not node.size:
        return b""
    content = bytearray(node.size)
    with open(layers[node.layer].path, "rb") as file:
        file.seek(node.offset)
        for start, length in node.sparse if node.sparse is not None else ((0, node.size),):
            content[start : start + length] = file.read(length)
    return bytes(content)


def shown(root: Path) -> Facts:
    """What the kernel shows below `root`."""
    facts: Facts = {}
    inodes: dict[int, list[bytes]] = {}
    top = os.fsencode(root)
    pending = [b"."]
    while pending:
        path = pending.pop()
        full = os.path.join(top, path)
        status = os.lstat(full)
        if stat.S_ISDIR(status.st_mode):
            pending += [path + b"/" + name for name in os.listdir(full)]
        else:
            inodes.setdefault(status.st_ino, []).append(path)
        names = os.listxattr(full, follow_symlinks=False)
        attributes = {os.fsencode(name): os.getxattr(full, name, follow_symlinks=False) for name in names}
        rdev = status.st_rdev
        facts[path] = (
            status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, status.st_nlink,
            (rdev & 0xFF) | (rdev >> 8 & 0xFFF) << 8 | (rdev & ~0xFFFFF) if rdev else 0,
            attributes, _read(full, status),
        )  # fmt: skip
    for paths in inodes.values():
        for path in paths:
            facts[path] = (*facts[path], sorted(paths))
    return facts


def _read(path: bytes, status: os.stat_result) -> bytes | None:
    if stat.S_ISLNK(status.st_mode):
        assert status.st_size == len(os.readlink(path))
        return os.readlink(path)
    if not stat.S_ISREG(status.st_mode):
        return None
    with open(path, "rb") as file:
        content = file.read()
    assert status.st_size == len(content)
    return content
