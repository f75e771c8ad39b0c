"""Planned: the layer that an instruction makes, over the root that it stands on; told before it is written.

What is put has its path below the root, without links. Directories are merged, all else is replaced; whether
other things may take the place of a directory, or it that of others, is for whoever puts them to say.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from millefeuille.annotations import Any, Final, NamedTuple
from millefeuille.build.copying.root import HOPS, RootTree
from millefeuille.errors import Invalid, Unsupported
from millefeuille.layers.entry import DIRECTORY, FILE, HARDLINK, SYMLINK
from millefeuille.layers.following import follow
from millefeuille.layers.names import WHITEOUT_PREFIX
from millefeuille.layers.tarheader import Metadata
from millefeuille.layers.tarstream import Member

# The time, in seconds, of what has none, since it must not be that of the build: the first day that zip can
# write down, wherever that is. What pip packs may not be older.
UNDATED: Final = 315_619_200

# How to open a file's content, and of what: one function for all files of a source, not one for each.
Content = tuple[Callable[[Any], int | bytes], Any]


class WrongKind(Invalid):
    """A directory is to take the place of a file, or the other way round. Words of BuildKit."""


class UnwritableName(Unsupported):
    """A layer cannot hold a file of this name: its readers would take it for a mark."""


class MadeDirectory(NamedTuple):
    """What a directory gets that no source has."""

    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    mtime: int = UNDATED


# An entry, its content, and what the names of one file have in common; None where it has but this one.
_Put = tuple[Metadata, Content | None, object]


class Planned:
    """The members of a layer, gathered; `made` is how directories come into being that nobody brings along.

    Every method raises what asking `tree` does.
    """

    def __init__(self, tree: RootTree, made: MadeDirectory) -> None:
        self._tree = tree
        self._made = made
        self._puts: dict[bytes, _Put] = {}
        self._own: set[bytes] = set()  # paths below which the tree has nothing to say
        self._changes = 0

    def kind(self, path: bytes) -> int | None:
        """One of `entry`; None where nothing is."""
        entry = self._at(path)
        return entry.kind if entry is not None else None

    def resolve(self, path: bytes) -> bytes:
        """Where `path` leads inside of the root, all links followed. Raises TooManyLinks."""
        return follow(path, self._link, leaf=True, most=HOPS)

    def make_directories(self, path: bytes) -> None:
        """Have a directory at `path`, with those above it; one that is there stays as it is.

        Raises WrongKind, UnwritableName.
        """
        if path in self._own and self._puts[path][0].kind == DIRECTORY:
            return
        here, parts = b"", path.split(b"/") if path else []
        for part in parts:
            here = here + b"/" + part if here else part
            entry = self._at(here)
            if entry is None:
                mode, uid, gid, mtime = self._made
                _check(here, part)
                entry = Metadata(here, DIRECTORY, mode, uid, gid, 0, mtime)
                self._own.add(here)
                self._changes += 1
            elif entry.kind != DIRECTORY:
                raise WrongKind(f"mkdir /{os.fsdecode(here)}: not a directory")
            if here not in self._puts:
                self._puts[here] = (entry._replace(nsec=0), None, None)

    def put_directory(self, entry: Metadata, *, keep: bool = False, replace: bool = False) -> None:
        """Put a directory; one that is there gets its metadata, unless it is to `keep` its own.

        What is there and is none has to be what it may `replace`. Raises WrongKind, UnwritableName.
        """
        _check(entry.path, entry.path.rpartition(b"/")[2])
        there = self._at(entry.path)
        if there is None or (replace and there.kind != DIRECTORY):
            self._own.add(entry.path)
        elif there.kind != DIRECTORY:
            raise WrongKind(f"cannot copy to non-directory: /{os.fsdecode(entry.path)}")
        elif keep:
            self._puts.setdefault(entry.path, (there._replace(nsec=0), None, None))
            return
        self._changes += 1
        self._puts[entry.path] = (entry, None, None)

    def put(
        self, entry: Metadata, content: Content | None = None, linked: object = None, *, replace: bool = False
    ) -> None:
        """Put what is no directory, in a directory that is there; `content` is a regular file's.

        Entries with equal `linked` are names of one file: each is put as the file. A directory that is there
        has to be what it may `replace`. Raises WrongKind, UnwritableName.
        """
        path = entry.path
        parent, _, name = path.rpartition(b"/")
        _check(path, name)
        if parent not in self._own or path in self._puts:
            there = self._at(path)
            if there is not None and there.kind == DIRECTORY:
                if not replace:
                    raise WrongKind(f"cannot replace to directory /{os.fsdecode(path)} with file")
                self._forget(path)
        self._puts[path] = (entry, content, linked)
        self._changes += 1

    def members(self) -> Iterator[Member]:
        """The members, sorted by path, each directory before what is in it; none when nothing changes.

        Raises what opening contents does.
        """
        if not self._changes:
            return
        first: dict[object, bytes] = {}
        paths = sorted(self._puts, key=_by_name)
        for path in paths:
            entry, content, linked = self._puts[path]
            if linked is not None:
                name = first.setdefault(linked, path)
                if name != path:
                    yield entry._replace(kind=HARDLINK, link=name, size=0), None
                    continue
            if content is None or not entry.size or entry.kind != FILE:
                yield entry, None
                continue
            opening, what = content
            data = opening(what)
            try:
                yield entry, data
            finally:
                if isinstance(data, int):
                    os.close(data)

    def _forget(self, path: bytes) -> None:
        """A directory is replaced: nothing is below it any more."""
        prefix = path + b"/"
        for put in [put for put in self._puts if put.startswith(prefix)]:
            del self._puts[put]
        self._own = {own for own in self._own if not own.startswith(prefix)}
        self._own.add(path)

    def _at(self, path: bytes) -> Metadata | None:
        put = self._puts.get(path)
        if put is not None:
            return put[0]
        if path.rpartition(b"/")[0] in self._own:
            return None
        inode = self._tree.lookup(path)
        return inode.entry if inode is not None else None

    def _link(self, path: bytes) -> bytes | None:
        entry = self._at(path)
        return entry.link if entry is not None and entry.kind == SYMLINK else None


def _check(path: bytes, name: bytes) -> None:
    if name.startswith(WHITEOUT_PREFIX):
        raise UnwritableName(f"{os.fsdecode(path)!r}: a layer cannot hold a file of this name")


def _by_name(path: bytes) -> bytes:
    return path.replace(b"/", b"\0")
