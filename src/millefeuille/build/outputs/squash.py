"""Squash: all that a build laid over its base image as one layer, without what came and went again.

Nothing is mounted: the indexes of the layers tell what there is, and the data come from their tars.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from millefeuille import files
from millefeuille.annotations import NamedTuple
from millefeuille.build.outputs.finished import Finished, Step
from millefeuille.layers.entry import FILE, HARDLINK
from millefeuille.layers.names import WHITEOUT_PREFIX
from millefeuille.layers.tarheader import Metadata
from millefeuille.layers.tarstream import Member
from millefeuille.layers.tree import Node
from millefeuille.oci.layer import chain_ids
from millefeuille.store.filetree import FileTree, metadata
from millefeuille.store.leases import Lease
from millefeuille.store.making import store_layer
from millefeuille.store.store import Store
from millefeuille.values import replace


def squashed(store: Store, finished: Finished, lease: Lease) -> Finished:
    """The same files with one layer at most above those of the base image, which stay as they are.

    The steps are told as before, now without layers, and one more tells of the new layer. Equal states give
    an equal layer. Raises DamagedLayer, DamagedContent, BrokenLink, DiskFull, ReadOnlyStore, Failed.
    """
    base, top = finished.layers[: finished.base_layers], finished.layers[finished.base_layers :]
    if not top:
        return finished
    steps = tuple(replace(step, empty=True) for step in finished.steps)
    with (
        files.explained(f"the store {store.disk.root}", root=store.disk.root),
        FileTree(store.disk, finished.layers, "of the build's result") as after,
        FileTree(store.disk, base, "that the build stands on") as before,
    ):
        squash = _Squash(store, after, before, finished)
        members = squash.members()
        first = next(members, None)
        if first is None:  # in the end nothing differs
            return replace(finished, layers=base, steps=steps)
        diff_ids = [layer.diff_id for layer in base]
        record, _ = store_layer(
            store, _chained(first, members),
            lambda made: lease.claim({made.diff_id, *chain_ids([*diff_ids, made.diff_id])}),
        )  # fmt: skip
    created = max((step.created for step in finished.steps if step.created is not None), default=None)
    count = f"{len(top)} layer" + ("s" if len(top) > 1 else "")
    told = Step(created_by="", created=created, comment=f"merge {count}")
    return replace(finished, layers=(*base, record), steps=(*steps, told))


class _Place(NamedTuple):
    """A path at which something is, or was; `depth` is the number of directories above it."""

    path: bytes
    depth: int
    after: Node | None
    before: Node | None


class _Squash:
    def __init__(self, store: Store, after: FileTree, before: FileTree, finished: Finished) -> None:
        self._store = store
        self._after = after
        self._before = before
        self._first_layer = finished.base_layers
        self._epoch = finished.epoch
        self._above: list[_Place] = []  # the directories above the present place
        self._told = 0  # how many of them are members already
        self._names: dict[int, bytes] = {}  # of inodes that are members, by identity

    def members(self) -> Iterator[Member]:
        """All that differs, sorted by path within each directory, each directory before what is in it."""
        pending = [_Place(b"", 0, self._after.root, self._before.root)]
        while pending:
            place = pending.pop()
            del self._above[place.depth :]
            self._told = min(self._told, place.depth)
            if self._differs(place):
                yield from self._directories()
                yield from self._member(place)
            if place.after is not None and place.after.children is not None:
                self._told += self._told == place.depth and self._differs(place)
                self._above.append(place)
                pending += reversed(_below(place))

    def _directories(self) -> Iterator[Member]:
        """The directories above the present place that are no members yet."""
        for place in self._above[self._told :]:
            if place.path and place.after is not None:
                yield self._timed(metadata(place.path, place.after)), None
        self._told = len(self._above)

    def _differs(self, place: _Place) -> bool:
        after, before = place.after, place.before
        if after is None or before is None:
            return True
        if (after.layer, after.entry) == (before.layer, before.entry):
            return False
        if self._timed(metadata(b"", after)) != self._timed(metadata(b"", before)):
            return True
        if after.children is not None:
            return False
        if after.nlink > 1 or before.nlink > 1:
            return True
        ours, theirs = (tree.content_digest(node) if metadata(b"", node).kind == FILE else b""
                        for tree, node in ((self._after, after), (self._before, before)))  # fmt: skip
        return ours is None or ours != theirs

    def _member(self, place: _Place) -> Iterator[Member]:
        node = place.after
        if node is None:
            parent, slash, name = place.path.rpartition(b"/")
            yield Metadata(path=parent + slash + WHITEOUT_PREFIX + name, kind=FILE, mode=0), None
            return
        entry = self._timed(metadata(place.path, node))
        first = place.path if node.children is not None else self._names.setdefault(id(node), place.path)
        if first != place.path:
            yield entry._replace(kind=HARDLINK, link=first, size=0), None
        elif entry.kind != FILE or not entry.size:
            yield entry, None
        else:
            descriptor = self._opened(node)
            try:
                yield entry, descriptor
            finally:
                os.close(descriptor)

    def _opened(self, node: Node) -> int:
        """A file's data from where the descriptor stands, found whole. Raises DamagedContent."""
        if node.sparse is None:
            self._after.verify(node)
            layer = self._after.layer(node)
            assert layer is not None  # there is a file
            descriptor = os.open(self._store.disk.tar(layer.diff_id), os.O_RDONLY | os.O_CLOEXEC)
            os.lseek(descriptor, node.offset, os.SEEK_SET)
            return descriptor
        descriptor = os.memfd_create("sparse")
        try:
            os.truncate(descriptor, node.size)
            for offset, data in self._after.content(node):
                os.pwrite(descriptor, data, offset)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _timed(self, entry: Metadata) -> Metadata:
        mtime = entry.mtime if self._epoch is None else min(entry.mtime, self._epoch)
        return entry._replace(mtime=mtime, nsec=0)


def _below(place: _Place) -> list[_Place]:
    """What is in a directory, or was in the one that it replaces, sorted by name."""
    after = (place.after.children if place.after is not None else None) or {}
    before = (place.before.children if place.before is not None else None) or {}
    prefix = place.path + b"/" if place.path else b""
    return [
        _Place(prefix + name, place.depth + 1, after.get(name), before.get(name))
        for name in sorted({*after, *before})
    ]


def _chained(first: Member, rest: Iterator[Member]) -> Iterator[Member]:
    yield first
    yield from rest


