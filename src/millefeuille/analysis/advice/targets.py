"""Targets: what else there is where something is to be mounted, and around it.

All targets are paths from the root on.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import PurePosixPath

from millefeuille.analysis.advice.surroundings import user, workdir
from millefeuille.analysis.advice.waste import Waste
from millefeuille.annotations import Final

_USUAL: Final = (0o755, 0, 0)  # mode and owner of a directory that root makes


def are_theirs(waste: Waste, writer: int, killer: int, targets: Sequence[str]) -> bool:
    """Whether there is nothing at the targets but what the COPY brings and RUNs write, and nothing at all
    behind the last of them.
    """
    between = range(writer + 1, killer)
    others = [n for n in between if n not in waste.own or waste.step(n).word != "RUN"]
    gone = set(map(absolute_path, waste.account.removed[killer]))
    left = any(lies_in(absolute_path(path), targets) for path in waste.image.parts[killer].layer.written)
    return (
        gone.issuperset(targets) and not left and not _is_hidden(waste, writer, targets)
        and not any(writes(waste, n, targets) for n in others)
    )  # fmt: skip


def writes(waste: Waste, layer: int, targets: Sequence[str]) -> bool:
    """Whether a layer, -1 for none, has anything at the targets."""
    paths = waste.image.parts[layer].layer.paths if layer >= 0 else ()
    return any(lies_in(absolute_path(path), targets) for path in paths)


def are_entered(waste: Waste, first: int, second: int, targets: Sequence[str]) -> bool:
    """Whether a WORKDIR between two steps makes a target when the COPY does not."""
    places = [n for n in range(first + 1, second) if waste.script[n].word == "WORKDIR"]
    found = [workdir(waste, n + 1) for n in places]
    return any(at is None or lies_in(posixpath.normpath(at), targets) for at in found)


def kept(waste: Waste, writer: int, killer: int, targets: Sequence[str]) -> list[str] | None:
    """The directories to be made that the COPY makes around the targets, and that stay; None where `mkdir`
    does not make them so, or the RUN removes what a target is in, which a mount keeps it from.
    """
    around = {path for target in targets for path in map(str, PurePosixPath(target).parents)}
    if not around.isdisjoint(map(absolute_path, waste.account.removed[killer])):
        return None
    layer, changes = waste.image.parts[writer].layer, waste.account.changes[writer]
    made = {
        text: n for path, n in layer.written.items()
        if n not in changes and (text := absolute_path(path)) in around
    }  # fmt: skip
    index = layer.index
    is_usual = all((index.modes[n], index.uids[n], index.gids[n]) == _USUAL for n in made.values())
    if made and (not is_usual or user(waste, waste.own[writer])):
        return None
    parents = {str(parent) for path in made for parent in PurePosixPath(path).parents}
    return sorted(made.keys() - parents)


def _is_hidden(waste: Waste, writer: int, targets: Sequence[str]) -> bool:
    """Whether a mount would cover what the layers below have in its place."""
    below = [part.layer.written for part in waste.image.parts[:writer]]
    places = [target.encode("utf-8", "surrogateescape")[1:] for target in targets]
    return any(
        path == place or path.startswith(place + b"/")
        for written in below for path in written for place in places
    )  # fmt: skip


def lies_in(path: str, targets: Sequence[str]) -> bool:
    """Whether a path is a target, or in one."""
    return any(path == target or path.startswith(target + "/") for target in targets)


def absolute_path(path: bytes) -> str:
    """A path of a layer from the root on."""
    return "/" + path.decode("utf-8", "surrogateescape")
