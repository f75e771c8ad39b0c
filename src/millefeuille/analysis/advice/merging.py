"""Merging: RUNs that write, change or remove what an earlier RUN wrote, and are one RUN better."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath

from millefeuille.analysis.advice.advice import MERGE, Advice
from millefeuille.analysis.advice.edits import Edit, Join, Remove
from millefeuille.analysis.advice.joining import exits, joined
from millefeuille.analysis.advice.mountpoints import mountpoints
from millefeuille.analysis.advice.passing import is_around, passes_files, passes_names
from millefeuille.analysis.advice.reach import may_mean, real, text_of
from millefeuille.analysis.advice.surroundings import is_known, shell, workdir
from millefeuille.analysis.advice.targets import lies_in
from millefeuille.analysis.advice.waste import Waste, place
from millefeuille.analysis.stacking import Death
from millefeuille.annotations import Final

# What has nothing to do with a RUN beside it.
_APART: Final = (
    "LABEL", "EXPOSE", "CMD", "ENTRYPOINT", "STOPSIGNAL", "HEALTHCHECK", "MAINTAINER", "VOLUME", "#",
)  # fmt: skip
# What does not change how a RUN before it goes, when that comes to stand behind it.
_HARMLESS: Final = (*_APART, "ENV", "ARG", "COPY", "ADD", "WORKDIR")

_RECORDS: Final = re.compile(
    rb"var/lib/(dpkg|apt|rpm|pacman|dnf|yum)/|var/log/|var/cache/(ldconfig|debconf|apt)/|lib/apk/db/"
    rb"|etc/(ld\.so\.cache|(passwd|group|shadow|gshadow|subuid|subgid)-?)$|usr/share/info/dir$|usr/lib/sysimage/rpm/"
)
_PLAIN: Final = re.compile(r"[\w./@%+-]+")  # what needs no quotes


def merging(waste: Waste) -> Iterator[Advice]:
    """Advice for each row of RUNs of which later ones kill files of earlier ones."""
    deaths = [
        death for death in waste.deaths()
        if waste.step(death.writer).word == waste.step(death.killer).word == "RUN"
    ]  # fmt: skip
    # What every package that is installed writes again is no reason to do two things in one.
    reasons = [death for death in deaths if not _RECORDS.match(waste.path(place(death)))]
    for first, last in spans(waste, reasons):
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
    waste.give(edits)
    places = [place(death) for death in inside]
    size, packed, paths = waste.claim(places, is_followed=bool(edits))
    runs = tuple(number for number in range(first, last + 1) if waste.script[number].word == "RUN")
    return Advice(
        kind=MERGE, steps=runs, size=size, packed=packed, paths=paths, edits=edits,
        left=() if edits else tuple(places),
        text="Do this in one RUN: what a later layer removes or writes over stays in the earlier one",
    )  # fmt: skip


def _parts(waste: Waste, first: int, last: int) -> list[tuple[int, int]]:
    """The rows of RUNs between what cannot be passed over, a USER say, that can be one each."""
    found: list[list[int]] = [[]]
    for number in range(first, last + 1):
        step = waste.script[number]
        if step.word == "RUN" and step.command is not None:
            found[-1].append(number)
        elif step.word == "RUN" or step.word not in _HARMLESS:
            found.append([])
    rows = [(runs[0], runs[-1]) for runs in found if len(runs) > 1]
    return [row for row in rows if join(waste, *row)]


def spans(waste: Waste, deaths: Sequence[Death]) -> list[tuple[int, int]]:
    """The first and the last step of each row, rows that overlap made one."""
    found: list[tuple[int, int]] = []
    for first, last in sorted({(waste.own[death.writer], waste.own[death.killer]) for death in deaths}):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def join(waste: Waste, first: int, last: int, recast: Collection[int] = ()) -> tuple[Edit, ...]:
    """The edit that makes one RUN of all from step `first` to step `last`, those in `recast` being made RUNs
    before; none where that may change what comes of them.
    """
    between = range(first, last + 1)
    runs = [number for number in between if number in recast or waste.script[number].word == "RUN"]
    if not all(waste.script[number].word in _HARMLESS for number in between if number not in runs):
        return ()
    own = [waste.script[number] for number in runs if number not in recast]
    kinds = {tuple(flag for flag in step.flags if not flag.startswith("--mount")) for step in own}
    if len(kinds) != 1 or any(step.command is None for step in own):
        return ()
    # A list needs no shell, so where there are only lists there may be none.
    if all(step.body.startswith("[") and not step.script for step in own):
        return ()
    if _is_covered(waste, runs, recast):
        return ()
    apart = [number for number in recast if waste.script[number].operands[-1].startswith("/")]
    return _in_shell(waste, runs, _joined(waste, first, last, runs, apart))


def _in_shell(waste: Waste, runs: Sequence[int], edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """The same for the shell in use; none where the commands would fail in another way there."""
    words = shell(waste, runs[0])
    if not edits or not is_known(words):
        return ()
    # What is copied is one list of commands.
    texts = [waste.script[run].command if waste.script[run].word == "RUN" else "cp" for run in runs]
    rows = [("", text or "") for text in texts]
    is_strict = words is not None and exits(words)
    ways = {joined(rows, errexit=one) for one in (is_strict, is_strict or words is None)}
    if "" in ways or len(ways) > 1:
        return ()
    return tuple(edit._replace(errexit=is_strict) if isinstance(edit, Join) else edit for edit in edits)


def _joined(
    waste: Waste, first: int, last: int, runs: Sequence[int], apart: Collection[int]
) -> tuple[Edit, ...]:
    """The edits, with the directories that are to be gone to when these are not all the same; those of the
    RUNs `apart` do not matter.
    """
    between = range(first, last + 1)
    is_late = all(_passes(waste, run, number) for number in between for run in runs if run < number)
    moves = [number for number in between if waste.script[number].word == "WORKDIR"]
    if not moves:
        return (Join(tuple(runs)),) if is_late else _joined_early(waste, runs, moves, ("",) * len(runs))
    # Where the first is run need not be known as long as it stays where it is.
    known = [workdir(waste, number) or "" for number in runs]
    if apart:  # what is copied from the root to the root may be done anywhere
        known = [known[-1] if number in apart else place for number, place in zip(runs, known, strict=True)]
    if not all(map(_PLAIN.fullmatch, filter(None, known))) or "" in known[known.count("") :]:
        return ()
    # A shell goes by the names of links, and a WORKDIR to where they lead.
    if any(real(waste, last, place) != posixpath.normpath(place) for place in known if place):
        return ()
    if not all(place for number, place in zip(runs, known, strict=True) if number > moves[0]):
        return ()
    is_there = known[0] and not any(_made(waste, runs, place) for place in known if place != known[0])
    if is_late and is_there:
        there = [f"cd {place}" if place != known[-1] else "" for place in known]
        return (Join(tuple(runs), tuple(there)),)
    return _joined_early(waste, runs, moves, known)


def _passes(waste: Waste, run: int, number: int) -> bool:
    """Whether a RUN can stand behind the step `number`, which it stands in front of."""
    word = waste.script[number].word
    if word in ("ENV", "ARG"):
        return passes_names(waste.script[run], waste.script[number])
    return word not in ("COPY", "ADD", "WORKDIR") or passes_files(waste, run, number)


def _joined_early(
    waste: Waste, runs: Sequence[int], moves: Sequence[int], known: Sequence[str]
) -> tuple[Edit, ...]:
    """The same where the first RUN stands, as it makes a directory that one of the WORKDIRs `moves` names, or
    reads what is set behind it.
    """
    between = [number for number in range(runs[0], runs[-1] + 1) if number not in runs]
    if not {waste.script[number].word for number in between} <= {*_APART, "WORKDIR", "ENV", "ARG"}:
        return ()
    places = dict(zip(runs, known, strict=True))
    if not all(_is_passed(waste, run, place, between) for run, place in places.items()):
        return ()
    if not moves:
        return (Join(tuple(runs), early=True),)
    # Behind the RUN a WORKDIR would make again what that removed.
    gone = [number for number in moves if _is_gone(waste, runs, str(workdir(waste, number + 1)))]
    if any(number == moves[-1] or not waste.script[number].operands[0].startswith("/") for number in gone):
        return ()
    following = [moves[moves.index(number) + 1] for number in gone]
    if not all(waste.script[number].operands[0].startswith("/") for number in following):
        return ()
    made = {workdir(waste, number + 1) for number in moves if waste.script[number].layer >= 0}
    there = [
        "" if place == known[0] else f"mkdir -p {place} && cd {place}" if place in made else f"cd {place}"
        for place in known
    ]
    return (*map(Remove, gone), Join(tuple(runs), tuple(there), early=True))


def _is_passed(waste: Waste, run: int, place: str, between: Sequence[int]) -> bool:
    """Whether a RUN can stand in front of the steps that it stands behind, as the directory `place`, in which
    it is run, is made for it, with those around it.
    """
    before = [number for number in between if number < run]
    return all(_is_around(waste, number, place) or _passes(waste, run, number) for number in before)


def _is_around(waste: Waste, number: int, place: str) -> bool:
    """Whether a step is a WORKDIR that makes no more than what a directory lies in."""
    made = workdir(waste, number + 1) if waste.script[number].word == "WORKDIR" else None
    return made is not None and lies_in(posixpath.normpath(place), [posixpath.normpath(made)])


def _is_gone(waste: Waste, runs: Sequence[int], place: str) -> bool:
    """Whether one of the RUNs removed a directory, or what it lies in."""
    path = place.strip("/").encode() + b"/"
    layers = [layer for run in runs if (layer := waste.script[run].layer) >= 0]
    return any(path.startswith(gone + b"/") for layer in layers for gone in waste.account.removed[layer])


def _is_covered(waste: Waste, runs: Sequence[int], recast: Collection[int]) -> bool:
    """Whether one of the RUNs may mean what is mounted for another one, which is there for all of them then;
    or makes the directory of that, or wrote what its mount is over.
    """
    there = {number: _mounted(waste, runs, number, number in recast) for number in runs}
    for number, points in there.items():
        for target, flag in (points or {}).items():
            is_own = flag in waste.script[number].flags
            others = [run for run in runs if target not in (there[run] or ())]
            early = [run for run in others if run < number and (is_own or run not in waste.mounted)]
            above = {str(directory) for directory in PurePosixPath(target).parents} - {"/"}
            if any(_made(waste, early, directory) for directory in above):
                return True
            if any(may_mean(waste, run, [target]) for run in others):
                return True
            if is_own and any(_is_hidden(waste, run, target) for run in others):
                return True
    rows = [points.items() for points in there.values() if points is not None]
    found = {pair for row in rows for pair in row}
    # What is mounted at one place in two ways is not the same in one RUN.
    return None in there.values() or len(dict(found)) < len(found)


def _mounted(waste: Waste, runs: Sequence[int], number: int, is_recast: bool) -> dict[str, str] | None:
    """The flag for each path that is mounted for a RUN, by itself or by advice, "" where that is not known;
    None where it may be another path in one RUN with the others.
    """
    if is_recast:
        return {mounted_at(number): ""}
    flags = (*waste.script[number].flags, *waste.flags.get(number, ()))
    found = mountpoints(waste, number, flags)
    if found is None or any(mountpoints(waste, run, flags) != found for run in (runs[0], runs[-1])):
        return None
    return dict.fromkeys(waste.mounted.get(number, ()), "") | found


def _is_hidden(waste: Waste, number: int, target: str) -> bool:
    """Whether a RUN has in its layer what a mount at `target` is over, or may look for it there."""
    layer = waste.script[number].layer
    if layer >= 0:
        path, gone = target[1:].encode("utf-8", "surrogateescape"), waste.account.removed[layer]
        found = {*waste.image.parts[layer].layer.written, *gone}
        if any(each.startswith(path + b"/") for each in found) or path in gone:
            return True
    return _made(waste, [number], target) or is_around(
        waste, number, [target], text_of(waste.script[number])
    )


def mounted_at(number: int) -> str:
    """Where a step that is made a RUN finds what it copied."""
    return f"/mnt/copied{number}"


def _made(waste: Waste, runs: Sequence[int], place: str) -> bool:
    """Whether one of the RUNs made or changed a directory, and did not only write into it."""
    path = place.strip("/").encode()
    layers = [layer for run in runs if (layer := waste.script[run].layer) >= 0]
    having = [layer for layer in layers if path in waste.image.parts[layer].layer.written]
    return not all(waste.is_touched(layer, path) for layer in having)
