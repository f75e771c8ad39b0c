"""Differing: the paths at which two images do not show the same; times do not count."""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.analysis.compare import Shown
from millefeuille.analysis.image import Image
from millefeuille.analysis.layer import Layer
from millefeuille.analysis.stacking import CONTENT, KIND, compared
from millefeuille.annotations import NamedTuple


class Differing(NamedTuple):
    """A path, and how: added, removed, content, type, owner or mode."""

    path: bytes
    how: str


def differing(old: Image, new: Image) -> Iterator[Differing]:
    """All of them, sorted by path. Raises BrokenLink."""
    before, after = Shown(old.layers), Shown(new.layers)
    for path in sorted(before.paths.keys() | after.paths.keys()):
        if path not in after.paths:
            yield Differing(path, "removed")
        elif path not in before.paths:
            yield Differing(path, "added")
        else:
            how = _how(before.place(path), after.place(path))
            if how:
                yield Differing(path, how)


def _how(old: tuple[Layer, int], new: tuple[Layer, int]) -> str:
    (lower, a), (upper, b) = old, new
    change = compared(lower.index, a, upper.index, b)
    if change in (CONTENT, KIND):
        return "content" if change == CONTENT else "type"
    if (lower.index.uids[a], lower.index.gids[a]) != (upper.index.uids[b], upper.index.gids[b]):
        return "owner"
    return "mode" if lower.index.modes[a] != upper.index.modes[b] else ""
