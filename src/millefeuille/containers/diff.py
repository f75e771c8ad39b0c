"""Diff: which paths of a container's root are not as in its image."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import NamedTuple
from millefeuille.containers.stubs import STUBS
from millefeuille.layers.changes import CHANGED, DELETED, SAME, Written, changes, covered


class Difference(NamedTuple):
    """`letter` is A (added), C (changed) or D (deleted); `path` begins with a slash."""

    letter: str
    path: bytes


def diff(written: Written) -> list[Difference]:
    """The differences as Docker tells them.

    A directory is told of when its mode or owner differ, or something in it; it comes before what is in it,
    and what a directory lost after what it has. Raises UnreadableChange, OSError.
    """
    letters: dict[bytes, str] = {}
    covers = []
    for change in changes(written, STUBS):
        if change.path:
            letters[change.path] = change.letter
        if change.covers:
            covers.append(change.path)
    for directory in covers:
        for name in covered(written, directory):
            letters.setdefault(directory + b"/" + name, DELETED)
    told = {path: letter for path, letter in letters.items() if letter != SAME}
    for path in list(told):
        while path := path.rpartition(b"/")[0]:
            told.setdefault(path, CHANGED)
    return [Difference(told[path], b"/" + path) for path in sorted(told, key=lambda path: _place(path, told))]


def _place(path: bytes, letters: Mapping[bytes, str]) -> tuple[tuple[bool, bytes], ...]:
    """What the paths are sorted by, part for part."""
    *parents, name = path.split(b"/")
    return (*((False, parent) for parent in parents), (letters[path] == DELETED, name))
