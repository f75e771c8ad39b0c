"""Mounts: files that were copied for a command that removes them when it is done."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from millefeuille.analysis.advice.advice import BIND_MOUNT, Advice
from millefeuille.analysis.advice.edits import AddFlag, DropCommands, Edit, Remove
from millefeuille.analysis.advice.shell import commands, words
from millefeuille.analysis.advice.step import Step
from millefeuille.analysis.advice.waste import Waste, place
from millefeuille.analysis.stacking import DELETED, Death
from millefeuille.layers.entry import FILE


def mounts(waste: Waste) -> Iterator[Advice]:
    """Advice for each COPY from the context whose files a later RUN removes."""
    groups: dict[tuple[int, int], list[Death]] = {}
    for death in waste.deaths():
        copy, run = waste.step(death.writer), waste.step(death.killer)
        if death.cause == DELETED and copy.word in ("COPY", "ADD") and run.word == "RUN":
            groups.setdefault((death.writer, death.killer), []).append(death)
    for (writer, killer), deaths in groups.items():
        edits = _edits(waste, writer, killer, deaths)
        size, packed, paths = waste.claim(place(death) for death in deaths)
        yield Advice(
            kind=BIND_MOUNT, steps=(waste.own[writer], waste.own[killer]), size=size, packed=packed,
            paths=paths, edits=edits,
            text="Mount what only a command needs (RUN --mount=type=bind) instead of removing it later",
        )  # fmt: skip


def _edits(waste: Waste, writer: int, killer: int, deaths: list[Death]) -> tuple[Edit, ...]:
    first, second = waste.own[writer], waste.own[killer]
    copy, run = waste.script[first], waste.script[second]
    layer = waste.image.parts[writer].layer
    files = {path for path, kind in zip(layer.paths, layer.kinds, strict=True) if kind == FILE}
    gone = {waste.path(place(death)) for death in deaths}
    if copy.fixed or run.fixed or not copy.copies or len(copy.operands) != 2 or files != gone:
        return ()
    source = copy.operands[0].strip("/").removeprefix("./")
    target = _target(copy, source, files)
    removing = _removing(run, target)
    if target is None or not removing or any(sign in copy.body for sign in "*?[$"):
        return ()
    flag = f"--mount=type=bind,source={source or '.'},target={target}"
    between = range(first + 1, second + 1)
    users = [number for number in between if waste.script[number].word == "RUN"]
    if any(waste.script[number].fixed for number in users):
        return ()
    return (Remove(first), *(AddFlag(number, flag) for number in users), DropCommands(second, removing))


def _target(copy: Step, source: str, files: set[bytes]) -> str | None:
    """Where the source is in the image; None where that is not plain."""
    target = copy.operands[1]
    if not target.startswith("/"):
        return None
    if len(files) == 1:
        return "/" + next(iter(files)).decode("utf-8", "surrogateescape")
    return posixpath.normpath(target)


def _removing(run: Step, target: str | None) -> tuple[str, ...]:
    """The commands that remove the target and nothing else."""
    found = []
    for text in commands(run.body) or ():
        tool, *rest = words(text) or ("",)
        paths = [word for word in rest if not word.startswith("-")]
        if tool == "rm" and paths and all(posixpath.normpath(path) == target for path in paths):
            found.append(text)
    return tuple(found)
