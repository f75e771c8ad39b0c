"""What a tree is, in comparable values: as the kernel shows it, and as the merged tree says it has to be."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from millefeuille.layers.tree import Node

BIG = 64 << 20  # bytes; the content of larger files is not compared
# What ext4 can keep of a time, in seconds; the kernel clamps to it.
FIRST, LAST = -(1 << 31), (1 << 34) - (1 << 31) - 1


class Fact(NamedTuple):
    """One path. `content` is a hash of a file, or a symlink's target; `names` tells all names of a file."""

    mode: int
    owner: tuple[int, int]
    mtime: int
    rdev: int
    size: int
    xattrs: tuple[tuple[bytes, bytes], ...]
    content: bytes
    names: tuple[int, bytes, str] | None


Facts = Mapping[bytes, Fact]


def shown(root: int, *, clamped: bool) -> Facts:
    """What the kernel shows below an open directory. Paths are relative to it, "." is itself."""
    found: dict[bytes, Fact] = {}
    inodes: dict[tuple[int, int], list[bytes]] = {}
    for path in _walk(root):
        status = os.stat(path, dir_fd=root, follow_symlinks=False)
        if not stat.S_ISDIR(status.st_mode):
            inodes.setdefault((status.st_dev, status.st_ino), []).append(path)
        found[path] = Fact(
            _mode(status.st_mode),
            (status.st_uid, status.st_gid),
            _time(status.st_mtime_ns, clamped),
            status.st_rdev,
            0 if stat.S_ISDIR(status.st_mode) else status.st_size,
            _xattrs(root, path),
            _content(root, path, status),
            None,
        )
    return _named(found, inodes.values())


def expected(top: Node, tars: Sequence[bytes | memoryview], *, clamped: bool) -> Facts:
    """What a merged tree must be shown as; `tars` are the layers' bytes."""
    found: dict[bytes, Fact] = {}
    nodes: dict[int, list[bytes]] = {}
    pending = [(b".", top)]
    while pending:
        path, node = pending.pop()
        if node.children is not None:
            pending += [
                (name if path == b"." else path + b"/" + name, child) for name, child in node.children.items()
            ]
        else:
            nodes.setdefault(id(node), []).append(path)
        mtime = node.mtime * 10**9 + node.nsec
        found[path] = Fact(
            _mode(node.mode), (node.uid, node.gid), _time(mtime, clamped), node.rdev,
            0 if node.children is not None else node.size,
            _attributes(node), _data(node, tars), None,
        )  # fmt: skip
    return _named(found, nodes.values())


def difference(one: Facts, other: Facts) -> list[str]:
    """The first few paths that are not the same in both."""
    wrong = [path for path in sorted({*one, *other}) if one.get(path) != other.get(path)]
    return [f"{path!r}: {one.get(path)} is not {other.get(path)}" for path in wrong[:5]]


def _named(found: dict[bytes, Fact], inodes: Iterable[list[bytes]]) -> Facts:
    for paths in inodes:
        names = (len(paths), min(paths), hashlib.sha256(b"\0".join(sorted(paths))).hexdigest())
        for path in paths:
            found[path] = found[path]._replace(names=names)
    return found


def _walk(root: int) -> Iterator[bytes]:
    pending = [b"."]
    while pending:
        path = pending.pop()
        yield path
        if not stat.S_ISDIR(os.stat(path, dir_fd=root, follow_symlinks=False).st_mode):
            continue
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=root)
        try:
            names = [os.fsencode(name) for name in os.listdir(directory)]
        finally:
            os.close(directory)
        pending += [name if path == b"." else path + b"/" + name for name in names]


def _mode(mode: int) -> int:
    return stat.S_IFLNK | 0o777 if stat.S_ISLNK(mode) else mode


def _time(nanoseconds: int, clamped: bool) -> int:
    seconds = nanoseconds // 10**9
    if clamped and not FIRST <= seconds <= LAST:
        return max(FIRST, min(seconds, LAST))
    return nanoseconds


def _attributes(node: Node) -> tuple[tuple[bytes, bytes], ...]:
    mode, pairs = node.mode, sorted(node.xattrs.items())
    return tuple((name, _agreed(mode, name, value)) for name, value in pairs if _kept(mode, name, value))


def _kept(mode: int, name: bytes, value: bytes) -> bool:
    """The kernel has `user.` for files and directories alone, no ACLs for symlinks, and default ones for
    directories alone.
    """
    if name.startswith(b"user."):
        return stat.S_ISREG(mode) or stat.S_ISDIR(mode)
    if name == b"system.posix_acl_default":
        return stat.S_ISDIR(mode)
    return not (stat.S_ISLNK(mode) and name.startswith(b"system.")) and not _plain(name, value)


def _agreed(mode: int, name: bytes, value: bytes) -> bytes:
    """An ACL with a mask, once the mode is set: owner, mask and others are the mode's."""
    if name != b"system.posix_acl_access":
        return value
    agreed = bytearray(value)
    for at in range(4, len(value), 8):
        if agreed[at] in (0x01, 0x10, 0x20):
            agreed[at + 2] = mode >> {0x01: 6, 0x10: 3, 0x20: 0}[agreed[at]] & 7
    return bytes(agreed)


def _plain(name: bytes, value: bytes) -> bool:
    """An ACL that says no more than the mode; a disk keeps the mode alone."""
    return name == b"system.posix_acl_access" and len(value) == 4 + 3 * 8


def _xattrs(root: int, path: bytes) -> tuple[tuple[bytes, bytes], ...]:
    parent, _, leaf = path.rpartition(b"/")
    directory = os.open(parent or b".", os.O_PATH | os.O_DIRECTORY, dir_fd=root)
    try:
        place = b"/proc/self/fd/%d/%b" % (directory, leaf or b".")
        names = [os.fsencode(name) for name in os.listxattr(place, follow_symlinks=False)]
        kept = [x for x in names if not x.startswith(b"trusted.overlay.")]
        pairs = ((x, os.getxattr(place, x, follow_symlinks=False)) for x in kept)
        return tuple(sorted(pair for pair in pairs if not _plain(*pair)))
    finally:
        os.close(directory)


def _content(root: int, path: bytes, status: os.stat_result) -> bytes:
    if stat.S_ISLNK(status.st_mode):
        return os.readlink(path, dir_fd=root)
    if not stat.S_ISREG(status.st_mode) or status.st_size > BIG:
        return b""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=root)
    with open(descriptor, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _data(node: Any, tars: Sequence[bytes | memoryview]) -> bytes:
    if stat.S_ISLNK(node.mode):
        return bytes(node.link)
    if not stat.S_ISREG(node.mode) or node.size > BIG:
        return b""
    tar, at = memoryview(tars[node.layer]), node.offset
    if node.sparse is None:
        return hashlib.sha256(tar[at : at + node.size]).digest()
    data = bytearray(node.size)
    for start, length in node.sparse:
        data[start : start + length] = tar[at : at + length]
        at += length
    return hashlib.sha256(data).digest()
