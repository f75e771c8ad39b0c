"""MemorySnapshotter: the contract of snapshots kept in memory, for tests that mount nothing."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence

from millefeuille.layers.tree import Node
from millefeuille.oci.digest import Digest
from millefeuille.snapshots.roots import InvalidKey, SnapshotExists, SnapshotNotFound, SnapshotReadOnly
from millefeuille.snapshots.snapshotter import Changes, Mount, Usage
from millefeuille.testing.trees import content
from millefeuille.values import dataclass, field

# A chain's merged tree, and the bytes of its layers.
MemoryChain = tuple[Node, Sequence[bytes]]


@dataclass(slots=True, eq=False)
class Inode:
    """A file of a root in memory; `children` is None for all but directories. `own` was not in the chain."""

    mode: int
    data: bytes = b""
    children: dict[str, Inode] | None = None
    own: bool = True


@dataclass(slots=True)
class MemoryRoot:
    """A root that is mounted: what a test reads and writes. Paths are relative to it."""

    top: Inode
    read_only: bool = False

    def names(self, path: str = "") -> list[str]:
        """What is in a directory, sorted."""
        return sorted(self._directory(path))

    def read(self, path: str) -> bytes:
        """A file's bytes. Symlinks are not followed."""
        return self.find(path).data

    def write(self, path: str, data: bytes) -> None:
        """Make a file, or put other bytes into it."""
        parent, name = self._entry(path)
        old = parent.get(name)
        parent[name] = Inode(old.mode if old else stat.S_IFREG | 0o644, data)

    def make_directory(self, path: str) -> None:
        """Make a directory."""
        parent, name = self._entry(path)
        parent[name] = Inode(stat.S_IFDIR | 0o755, children={})

    def unlink(self, path: str) -> None:
        """Remove a file."""
        parent, name = self._entry(path)
        del parent[name]

    def mode(self, path: str) -> int:
        """Type and permissions."""
        return self.find(path).mode

    def is_same(self, path: str, other: str) -> bool:
        """Whether two names are one inode's."""
        return self.find(path) is self.find(other)

    def find(self, path: str) -> Inode:
        """The inode at a path."""
        node = self.top
        for part in path.split("/") if path else ():
            if node.children is None or part not in node.children:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            node = node.children[part]
        return node

    def _directory(self, path: str) -> dict[str, Inode]:
        children = self.find(path).children
        if children is None:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return children

    def _entry(self, path: str) -> tuple[dict[str, Inode], str]:
        if self.read_only:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        parent, _, name = path.rpartition("/")
        return self._directory(parent), name


@dataclass(slots=True)
class _Root:
    parent: Digest | None
    top: Inode
    read_only: bool


@dataclass(slots=True)
class MemorySnapshotter:
    """A Snapshotter over `chains`, which raises NotFound for one it does not know.

    Its mounts have the type "memory"; `mounted` gives what one shows.
    """

    chains: Callable[[Digest], MemoryChain]
    _roots: dict[str, _Root] = field(default_factory=dict)

    def prepare(self, key: str, parent: Digest | None) -> tuple[Mount, ...]:
        """See Snapshotter."""
        return self._make(key, parent, read_only=False)

    def view(self, key: str, parent: Digest) -> tuple[Mount, ...]:
        """See Snapshotter."""
        return self._make(key, parent, read_only=True)

    def mounts(self, key: str) -> tuple[Mount, ...]:
        """See Snapshotter."""
        return (Mount(type="memory", source=f"root:{key}", read_only=self._find(key).read_only),)

    def changes(self, key: str) -> Changes:
        """See Snapshotter. There is no directory: `upper` only names the root."""
        parent = self._writable(key).parent
        lower = (Mount(type="memory", source=f"chain:{parent}", read_only=True),) if parent else None
        return Changes(upper=f"memory:{key}", marks="trusted", lower=lower)

    def commit(self, key: str, chain: Digest) -> None:
        """See Snapshotter."""
        self._writable(key)
        self.chains(chain)

    def usage(self, key: str) -> Usage:
        """See Snapshotter."""
        own = [node for node in _below(self._find(key).top) if node.own]
        size = sum(len(node.data) for node in own)
        return Usage(size=size, inodes=len(own), content=size)

    def remove(self, key: str) -> None:
        """See Snapshotter."""
        _check(key)
        self._roots.pop(key, None)

    def release_idle(self) -> list[str]:
        """See Snapshotter. Nothing is kept mounted."""
        return []

    def __iter__(self) -> Iterator[str]:
        return iter([*self._roots])

    def mounted(self, mount: Mount) -> MemoryRoot:
        """What a mount shows, also when its root has been removed since."""
        kind, _, name = str(mount.source).partition(":")
        if kind == "chain":
            return MemoryRoot(self._chain(Digest.parse(name)), read_only=True)
        return MemoryRoot(self._find(name).top, read_only=mount.read_only)

    def _make(self, key: str, parent: Digest | None, *, read_only: bool) -> tuple[Mount, ...]:
        _check(key)
        if key in self._roots:
            raise SnapshotExists(f"root file system {key} exists already")
        top = self._chain(parent) if parent else Inode(stat.S_IFDIR | 0o755, children={}, own=False)
        self._roots[key] = _Root(parent, top, read_only)
        return self.mounts(key)

    def _chain(self, chain: Digest) -> Inode:
        root, tars = self.chains(chain)
        return _copy(root, tars, {})

    def _find(self, key: str) -> _Root:
        if key not in self._roots:
            raise SnapshotNotFound(f"no root file system {key}")
        return self._roots[key]

    def _writable(self, key: str) -> _Root:
        root = self._find(key)
        if root.read_only:
            raise SnapshotReadOnly(f"root file system {key} is read-only")
        return root


def _check(key: str) -> None:
    if not key[:1].isalnum() or "/" in key:
        raise InvalidKey(f"{key!r} cannot name a root file system")


def _copy(node: Node, tars: Sequence[bytes], known: dict[int, Inode]) -> Inode:
    if id(node) not in known:
        data = content(node, tars[node.layer]) if stat.S_ISREG(node.mode) else node.link
        made = known[id(node)] = Inode(node.mode, data, own=False)
        if node.children is not None:
            made.children = {os.fsdecode(n): _copy(child, tars, known) for n, child in node.children.items()}
    return known[id(node)]


def _below(top: Inode) -> Iterator[Inode]:
    pending = [*(top.children or {}).values()]
    while pending:
        node = pending.pop()
        yield node
        pending += (node.children or {}).values()
