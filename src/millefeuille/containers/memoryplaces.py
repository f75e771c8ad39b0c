"""Memory places: the directories of a root that a tmpfs is put on, as a commit tells of them.

A runtime gives a tmpfs the mode of the directory that it finds there, at every start, so the engine makes
that directory with the mode wished for the tmpfs. In an image it is one like any other.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from millefeuille.annotations import Final
from millefeuille.containers.paths import Root
from millefeuille.containers.record import Container
from millefeuille.layers.changes import ADDED, Change
from millefeuille.layers.entry import DIRECTORY
from millefeuille.layers.following import TooManyLinks, cleaned
from millefeuille.runtime.filesystems import place_mode

_MODE: Final = 0o755  # as Docker has it


def plain(changes: Iterable[Change], container: Container, lower: int | None) -> Iterator[Change]:
    """The changes, those that made a place for a tmpfs with the mode of any place for a mount.

    `lower` is the tree that they are changes of. Raises what `changes` does, OSError.
    """
    places = _places(container, lower)
    for change in changes:
        entry = change.entry
        if (
            entry is not None and entry.kind == DIRECTORY and change.letter == ADDED
            and places.get(change.path) == entry.mode
        ):  # fmt: skip
            change = change._replace(entry=entry._replace(mode=_MODE))
        yield change


def _places(container: Container, lower: int | None) -> dict[bytes, int]:
    """The places by the paths that the image's links make of them, each with the mode of its tmpfs."""
    found = {}
    for point in container.mounts:
        if point.type == "tmpfs":
            path = cleaned(os.fsencode(point.target))
            try:
                real = Root(lower).canonical(path) if lower is not None else path
            except TooManyLinks:
                continue
            found[real] = place_mode(point.options)
    return found
