"""Source: a tree that COPY and ADD take files from; what an argument selects in it, and its identity.

The tree may be a directory of this host, or the file system of a stage or an image: who copies does not see
the difference. Nothing is read to select, and content is read only where its hash is not known.
"""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille import errors
from millefeuille.annotations import NamedTuple, Protocol
from millefeuille.layers.tarheader import Metadata
from millefeuille.values import dataclass


class NotFound(errors.NotFound):
    """A path that an instruction names is not in the source. Words of BuildKit."""

    def __init__(self, path: str) -> None:
        super().__init__(f'"/{path.lstrip("/")}": not found')


class Item(NamedTuple):
    """One entry of a source: where it lies below the root, without a slash before it; and as it was found.

    `entry.path` is `path`. A hard link's `entry.link` is the path of an item before it in the same match.
    """

    path: bytes
    entry: Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One thing that one argument selected.

    `path` is where it lies below the root, the links of the argument followed, "" for the root; `name` what
    it is called in a directory that it is copied into: the last part of the argument, links not followed, ""
    for the root.

    A file has one item, itself. A directory is copied by what is in it, and has that as its items: depth
    first, each directory before what is in it, the names in each of them sorted bytewise; never itself.
    With `parents` it is the directory at the pivot, and the items are what the rest of the argument selects
    below it, with the directories that lead there.
    """

    path: bytes
    name: bytes
    is_directory: bool
    items: Sequence[Item]

    def below(self, path: bytes) -> bytes:
        """The path of an item, or of what its hard link names, from the matched directory on."""
        if not self.is_directory:
            return self.name
        return path[len(self.path) + 1 :] if self.path else path


class Source(Protocol):
    """A tree to take files from."""

    def match(self, pattern: str, *, exclude: Sequence[str] = (), parents: bool = False) -> Sequence[Match]:
        """What one source argument of COPY selects, sorted.

        `exclude` are patterns as in .dockerignore, from each match on. Wildcards that match nothing select
        nothing; raises NotFound for a path without wildcards that is not there.
        """

    def digest(self, matches: Sequence[Match], *, mode: bool = True) -> str:
        """The identity, in hex, of what copying these gives: equal where the copies are.

        Names, kinds, contents, links, attributes and owners are in it, times never are, modes unless `mode`
        is False; where the source lies is not.
        """

    def open(self, item: Item) -> int | bytes:
        """The content of a file: itself, or a descriptor at its start, the caller's to close."""
