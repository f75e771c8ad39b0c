"""Layers in a store, of a few words each, for tests that stand on some."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Sequence

from millefeuille.build.copying.root import RootTree
from millefeuille.layers.entry import DIRECTORY, FILE, HARDLINK, SYMLINK
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.tarheader import Metadata
from millefeuille.layers.tarstream import Member
from millefeuille.store import leases
from millefeuille.store.images import LayerRecord
from millefeuille.store.making import store_layer
from millefeuille.store.store import Store


def d(path: str, mode: int = 0o755, uid: int = 0, gid: int = 0, mtime: int = 1000) -> Member:
    """A directory."""
    entry = Metadata(path=path.encode(), kind=DIRECTORY, mode=mode, uid=uid, gid=gid, mtime=mtime)
    return entry, None


def f(
    path: str, data: bytes = b"", mode: int = 0o644, uid: int = 0, gid: int = 0, mtime: int = 1000,
    xattrs: dict[bytes, bytes] | None = None,
) -> Member:  # fmt: skip
    """A regular file."""
    return Metadata(
        path=path.encode(), kind=FILE, mode=mode, uid=uid, gid=gid, mtime=mtime, size=len(data),
        xattrs=xattrs or {},
    ), data  # fmt: skip


def s(path: str, target: str) -> Member:
    """A symlink."""
    return Metadata(path=path.encode(), kind=SYMLINK, mode=0o777, mtime=1000, link=target.encode()), None


def h(path: str, target: str) -> Member:
    """A hard link."""
    return Metadata(path=path.encode(), kind=HARDLINK, mode=0o644, mtime=1000, link=target.encode()), None


def gone(path: str) -> Member:
    """A whiteout."""
    parent, _, name = path.rpartition("/")
    return f(f"{parent}/.wh.{name}" if parent else f".wh.{name}", mode=0)


def layer(store: Store, members: Iterable[Member]) -> LayerRecord:
    """A layer of these members, in the store."""
    store.create()
    with leases.lease(store.disk, "test"):
        record, _ = store_layer(store, members, lambda content: None)
    return record


def root(store: Store, *layers: Sequence[Member]) -> RootTree:
    """The tree of layers of these members."""
    return RootTree(store.disk, [layer(store, members) for members in layers])


def entries(store: Store, record: LayerRecord) -> list[str]:
    """A layer's entries in words, in its order."""
    index = LayerIndex.open(store.disk.layer_index(record.diff_id))
    return [words(_metadata(index, number)) for number in range(len(index))]


def words(entry: Metadata) -> str:
    """An entry in words: kind, permissions, owner, path, target."""
    kind = {FILE: "-", DIRECTORY: "d", SYMLINK: "l", HARDLINK: "h"}.get(entry.kind, "?")
    target = f" -> {entry.link.decode()}" if entry.link else ""
    return f"{kind} {stat.S_IMODE(entry.mode):o} {entry.uid}:{entry.gid} {entry.path.decode()}{target}"


def _metadata(index: LayerIndex, number: int) -> Metadata:
    entry = index.entry(number)
    return Metadata(
        path=entry.path, kind=entry.kind, mode=entry.mode, uid=entry.uid, gid=entry.gid, size=entry.size,
        mtime=entry.mtime, nsec=entry.nsec, link=entry.link, device=entry.device, xattrs=entry.xattrs,
    )  # fmt: skip


def below(tree: RootTree, path: bytes = b"") -> Iterator[Metadata]:
    """Everything below a directory of a tree."""
    for inode in tree.children(path):
        yield inode.entry
        if inode.is_directory:
            yield from below(tree, inode.entry.path)
