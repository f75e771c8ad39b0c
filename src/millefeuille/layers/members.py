"""Members: what was found on a disk as the members of a tar, a layer's or a plain one's."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from millefeuille.annotations import Final
from millefeuille.errors import Unsupported
from millefeuille.layers.changes import DELETED, Change
from millefeuille.layers.entry import FILE
from millefeuille.layers.names import WHITEOUT_PREFIX
from millefeuille.layers.tarheader import Metadata
from millefeuille.layers.tarstream import Member
from millefeuille.layers.walk import Found, Links, metadata, walk

_OPAQUE: Final = b".wh..wh..opq"


class UnwritableName(Unsupported):
    """A layer cannot hold a file of this name: its readers would take it for a mark."""


def layer_members(changes: Iterable[Change], *, epoch: int | None = None) -> Iterator[Member]:
    """The members of a layer that makes these changes; the same ones whenever they are made.

    A deletion is an empty file `.wh.NAME`, a directory that hides the one below is followed by an opaque
    mark; times are in whole seconds, and none is later than `epoch`. Raises UnwritableName, OSError.
    """
    for letter, path, entry, found, _, hides in changes:
        if path.rpartition(b"/")[2].startswith(WHITEOUT_PREFIX):
            raise UnwritableName(f"{os.fsdecode(path)!r}: a layer cannot hold a file of this name")
        if entry is None:
            if letter != DELETED and not hides:
                continue  # a socket
            yield _mark(path, WHITEOUT_PREFIX + path.rpartition(b"/")[2])
            continue
        yield from _with_data(_timed(entry, epoch), found)
        if hides:
            yield _mark(path + b"/" + _OPAQUE, _OPAQUE)


def tree_members(root: int) -> Iterator[Member]:
    """The members of a tar of all that is below the directory `root` refers to, but for sockets.

    Of what is mounted inside of it only the place is told. Raises OSError.
    """
    links = Links()
    for found in walk(root, one_mount=True):
        entry = metadata(found, links)
        if entry is not None:
            yield from _with_data(_timed(entry, None), found)


def _timed(entry: Metadata, epoch: int | None) -> Metadata:
    mtime = entry.mtime if epoch is None else min(entry.mtime, epoch)
    return entry._replace(mtime=mtime, nsec=0)


def _mark(path: bytes, name: bytes) -> Member:
    parent = path.rpartition(b"/")[0]
    return Metadata(path=parent + b"/" + name if parent else name, kind=FILE, mode=0), None


def _with_data(entry: Metadata, found: Found | None) -> Iterator[Member]:
    """The member; its file is open until the next one is asked for."""
    if found is None or entry.kind != FILE or not entry.size:
        yield entry, None
        return
    descriptor = found.open()
    try:
        yield entry, descriptor
    finally:
        os.close(descriptor)
