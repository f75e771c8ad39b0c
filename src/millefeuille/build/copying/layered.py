"""Layered: the file system of a stage or an image as a source of COPY.

What is there, and the hashes of contents, are told by the indexes of its layers: nothing is read to select
and to identify, and whiteouts are not there to be copied. No .dockerignore counts here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from blake3 import blake3

from millefeuille.annotations import Final
from millefeuille.build.copying.root import HOPS, RootTree
from millefeuille.build.sources import arguments
from millefeuille.build.sources.identity import Entries, entries_of, identity
from millefeuille.build.sources.ignore import NOTHING, Ignore
from millefeuille.build.sources.sieve import Sieve, State, nothing
from millefeuille.build.sources.source import Item, Match, NotFound
from millefeuille.layers.entry import DIRECTORY, FILE, HARDLINK, SYMLINK
from millefeuille.layers.following import follow
from millefeuille.layers.stacked import Inode
from millefeuille.layers.tarheader import Metadata

_READ_WHOLE: Final = 256 << 10  # bytes up to which a file is given as bytes


class LayeredSource:
    """A RootTree as a Source. The tree stays open as long as somebody copies, and is the caller's to close.

    Methods raise what asking the tree does.
    """

    def __init__(self, tree: RootTree) -> None:
        self._tree = tree
        self._inodes: dict[bytes, Inode] = {}

    def match(self, pattern: str, *, exclude: Sequence[str] = (), parents: bool = False) -> Sequence[Match]:
        """See Source. Raises NotFound, BadPattern, TooManyLinks."""
        base, select = arguments.pivot(pattern) if parents else (pattern, "")
        found: list[Match] = []
        for path in arguments.expanded(base, self._names):
            match = self._one(path, exclude, select)
            if match is not None:
                found.append(match)
        if select and not arguments.has_wildcards(select) and not any(match.items for match in found):
            raise NotFound(arguments.cleaned(pattern))
        return found

    def digest(self, matches: Sequence[Match], *, mode: bool = True) -> str:
        """See Source."""
        return identity(
            ((None if match.is_directory else match.name, self._entries(match)) for match in matches),
            mode=mode,
        )

    def open(self, item: Item) -> int | bytes:
        """See Source. Raises DamagedContent, OSError."""
        inode = self._inodes[item.path]
        if item.entry.size <= _READ_WHOLE:
            return self._tree.content(inode)
        if self._tree.is_sparse(inode):
            return self._tree.expanded(inode)
        self._tree.verify(inode)
        tar, at = self._tree.tar(inode)
        descriptor = os.open(f"/proc/self/fd/{tar}", os.O_RDONLY | os.O_CLOEXEC)
        os.lseek(descriptor, at, os.SEEK_SET)
        return descriptor

    def _entries(self, match: Match) -> Entries:
        """The entries as their identity sees them: paths, and those that links name, from the match on."""
        return entries_of(
            (
                item.entry._replace(
                    path=match.below(item.path),
                    link=match.below(item.entry.link) if item.entry.kind == HARDLINK else item.entry.link,
                ),
                self._digest(item),
            )
            for item in match.items
        )

    def _digest(self, item: Item) -> bytes | None:
        if item.entry.kind != FILE:
            return None
        inode = self._inodes[item.path]
        known = self._tree.digest(inode)
        return known if known is not None else blake3(self._tree.content(inode)).digest()

    def _one(self, argument: str, exclude: Sequence[str], select: str) -> Match | None:
        """What one path without wildcards selects; None where the patterns leave nothing of it."""
        path = self._followed(argument)
        name = os.fsencode(argument.rpartition("/")[2])
        inode = self._tree.lookup(path)
        if inode is None or inode.entry.kind == SYMLINK or (select and not inode.is_directory):
            raise NotFound(argument)
        if inode.is_directory:
            sieve = Sieve(NOTHING, os.fsdecode(path), exclude=exclude, select=select)
            return Match(path=path, name=name, is_directory=True, items=list(self._below(path, sieve)))
        if exclude and Ignore(exclude).leaves_out(os.fsdecode(name)):
            return None
        self._inodes[path] = inode
        return Match(path=path, name=name, is_directory=False, items=[Item(path, inode.entry)])

    def _below(self, directory: bytes, sieve: Sieve) -> Iterator[Item]:
        first: dict[tuple[int, int], bytes] = {}
        for inode in self._walk(directory, sieve, sieve.top):
            path = inode.entry.path
            self._inodes[path] = inode
            if inode.entry.kind != DIRECTORY:
                name = first.setdefault(inode[1:], path)
                if name != path:
                    yield Item(path, _linked(inode.entry, name))
                    continue
            yield Item(path, inode.entry)

    def _walk(self, directory: bytes, sieve: Sieve, state: State) -> Iterator[Inode]:
        """What the sieve lets through, with the directories above it, each before what is in it."""
        if sieve.plain is nothing:
            yield from self._tree.below(directory)
            return
        # No call for each directory below another: a tree may be deeper than calls may be.
        levels = [(iter(self._tree.children(directory)), state)]
        # For each level its directory, where only something that is in it would let it through.
        waiting: list[Inode | None] = [None]
        while levels:
            rest, state = levels[-1]
            inode = next(rest, None)
            if inode is None:
                levels.pop()
                waiting.pop()
                continue
            path = os.fsdecode(inode.entry.path)
            why, passed = sieve.judge(path, state)
            if not why:
                yield from (above for above in waiting if above is not None)
                waiting = [None] * len(waiting)
                yield inode
            if inode.is_directory and (not why or sieve.may_show_below(path, why)):
                levels.append((iter(self._tree.children(inode.entry.path)), passed))
                waiting.append(inode if why else None)

    def _followed(self, argument: str) -> bytes:
        return follow(os.fsencode(argument), self._link, leaf=True, most=HOPS)

    def _link(self, path: bytes) -> bytes | None:
        inode = self._tree.lookup(path)
        return inode.entry.link if inode is not None and inode.entry.kind == SYMLINK else None

    def _names(self, directory: str) -> Iterator[tuple[str, bool]]:
        for inode in self._tree.children(self._followed(directory)):
            yield os.fsdecode(inode.entry.path.rpartition(b"/")[2]), inode.is_directory


def _linked(entry: Metadata, name: bytes) -> Metadata:
    return entry._replace(kind=HARDLINK, link=name, size=0)
