"""Merging: RUNs that write, change or remove what an earlier RUN wrote, and are one RUN better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from millefeuille.analysis.advice.advice import MERGE, Advice
from millefeuille.analysis.advice.edits import Edit, Join
from millefeuille.analysis.advice.shell import joinable
from millefeuille.analysis.advice.waste import Waste, place
from millefeuille.analysis.stacking import Death
from millefeuille.annotations import Final
from millefeuille.layers.entry import DIRECTORY

# What does not change how a RUN before it goes, when that comes to stand behind it.
_HARMLESS: Final = (
    "LABEL", "EXPOSE", "CMD", "ENTRYPOINT", "STOPSIGNAL", "HEALTHCHECK", "MAINTAINER", "ENV", "ARG", "COPY",
    "ADD", "#",
)  # fmt: skip


def merging(waste: Waste) -> Iterator[Advice]:
    """Advice for each row of RUNs of which later ones kill files of earlier ones."""
    deaths = [
        death for death in waste.deaths()
        if waste.step(death.writer).word == waste.step(death.killer).word == "RUN"
    ]  # fmt: skip
    for first, last in _spans(waste, deaths):
        parts = [(first, last)] if join(waste, first, last) else [*_parts(waste, first, last), (first, last)]
        for begin, end in parts:
            inside = [
                death for death in deaths
                if begin <= waste.own[death.writer] and waste.own[death.killer] <= end
                and place(death) not in waste.claimed
            ]  # fmt: skip
            if inside:
                yield _advice(waste, begin, end, inside)


def _advice(waste: Waste, first: int, last: int, inside: Sequence[Death]) -> Advice:
    edits = join(waste, first, last)
    size, packed, paths = waste.claim(place(death) for death in inside)
    runs = tuple(number for number in range(first, last + 1) if waste.script[number].word == "RUN")
    return Advice(
        kind=MERGE, steps=runs, size=size, packed=packed, paths=paths, edits=edits,
        text="Do this in one RUN: what a later layer removes or writes over stays in the earlier one",
    )  # fmt: skip


def _parts(waste: Waste, first: int, last: int) -> list[tuple[int, int]]:
    """The rows of RUNs between what cannot be passed over, a USER or WORKDIR, that can be one each."""
    found: list[list[int]] = [[]]
    for number in range(first, last + 1):
        step = waste.script[number]
        if step.word == "RUN" and not step.fixed and joinable(step.body):
            found[-1].append(number)
        elif step.word == "RUN" or step.word not in _HARMLESS:
            found.append([])
    rows = [(runs[0], runs[-1]) for runs in found if len(runs) > 1]
    return [row for row in rows if join(waste, *row)]


def _spans(waste: Waste, deaths: Sequence[Death]) -> list[tuple[int, int]]:
    """The first and the last step of each row, rows that overlap made one."""
    found: list[tuple[int, int]] = []
    for first, last in sorted({(waste.own[death.writer], waste.own[death.killer]) for death in deaths}):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def join(waste: Waste, first: int, last: int) -> tuple[Edit, ...]:
    """The edit that makes one RUN of all from step `first` to step `last`; none where that may change what
    comes of them.
    """
    runs = []
    for number in range(first, last + 1):
        step = waste.script[number]
        if step.word == "RUN":
            if step.fixed or not joinable(step.body):
                return ()
            runs.append(number)
        elif step.word not in _HARMLESS or _meets(waste, step.layer, runs):
            return ()
    kinds = {tuple(f for f in waste.script[n].flags if not f.startswith("--mount")) for n in runs}
    return (Join(tuple(runs)),) if len(kinds) == 1 else ()


def _meets(waste: Waste, layer: int, runs: Sequence[int]) -> bool:
    """Whether a layer, -1 for none, writes a path that one of the RUNs writes too."""
    if layer < 0:
        return False
    copied = waste.image.parts[layer].layer
    files = {path for path, kind in zip(copied.paths, copied.kinds, strict=True) if kind != DIRECTORY}
    layers = [waste.script[run].layer for run in runs]
    return any(not files.isdisjoint(waste.image.parts[other].layer.paths) for other in layers if other >= 0)
