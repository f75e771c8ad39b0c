"""Moved: what a COPY brings to one place, and the RUN behind it moves to another."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from millefeuille.analysis.advice import shell
from millefeuille.analysis.advice.advice import MOVED, Advice
from millefeuille.analysis.advice.edits import DropCommands, Edit, Retarget
from millefeuille.analysis.advice.surroundings import absolute
from millefeuille.analysis.advice.waste import Place, Waste, place
from millefeuille.annotations import Final
from millefeuille.layers.entry import DIRECTORY, FILE, WHITEOUT

_SPECIAL: Final = frozenset("*?[$\"'\\")


def moved(waste: Waste) -> Iterator[Advice]:
    """Advice for each COPY of one thing that the next RUN moves as it is."""
    for (writer, killer), deaths in waste.removed_copies().items():
        edits, again = _edits(waste, writer, killer)
        if edits:
            waste.give(edits)
            size, packed, paths = waste.claim(place(death) for death in deaths)
            waste.claim(again)  # what the COPY brings then, whatever becomes of it
            yield Advice(
                kind=MOVED, steps=(waste.own[writer], waste.own[killer]), size=size, packed=packed,
                paths=paths, edits=edits, text="Copy to where it is wanted, in place of moving it there",
            )  # fmt: skip


def _edits(waste: Waste, writer: int, killer: int) -> tuple[tuple[Edit, ...], list[Place]]:
    """The edits, and what the RUN wrote in moving."""
    first, second = waste.own[writer], waste.own[killer]
    copy, run = waste.script[first], waste.script[second]
    if not waste.is_next(first, second) or copy.fixed or run.fixed or len(copy.operands) != 2:
        return (), []
    if _SPECIAL.intersection(copy.body):
        return (), []
    text = (shell.commands(run.body) or ("",))[0]
    tool, *operands = shell.words(text) or ("",)
    if tool != "mv" or len(operands) != 2 or operands[0].startswith("-"):
        return (), []
    old, new = (absolute(waste, second, word) for word in operands)
    if old is None or new is None or not _is_whole(waste, writer, killer, old):
        return (), []
    for wanted in (new, posixpath.join(new, posixpath.basename(old))):
        again = _again(waste, writer, killer, old, wanted)
        if again:
            return (Retarget(first, f"{copy.operands[0]} {wanted}"), DropCommands(second, (text,))), again
    return (), []


def _is_whole(waste: Waste, writer: int, killer: int, old: str) -> bool:
    """Whether what is moved is the source of the COPY itself, and not something in it, and nothing else."""
    number = waste.own[writer]
    source, target = waste.script[number].operands
    place = absolute(waste, number, target)
    path = old.encode("utf-8", "surrogateescape")[1:]
    layers = [part.layer for part in waste.image.parts[:killer]]
    if any(path in one.written or one.makes(path) for n, one in enumerate(layers) if n != writer):
        return False  # which goes along
    if place is None or place == old:
        return place == old
    # A file under its own name; of a directory what is in it is copied, and an archive is unpacked.
    is_file = path in layers[writer].written and layers[writer].kinds[layers[writer].written[path]] == FILE
    return is_file and old == posixpath.join(place, posixpath.basename(source))


def _again(waste: Waste, writer: int, killer: int, old: str, new: str) -> list[Place]:
    """The files that the RUN has at `new` if they are all that the COPY brought to `old`, as if they had been
    copied there; none otherwise.
    """
    lower, upper = waste.image.parts[writer].layer, waste.image.parts[killer].layer
    before, after = (path.encode("utf-8", "surrogateescape")[1:] for path in (old, new))
    parent = before.rpartition(b"/")[0]
    below = [part.layer for part in waste.image.parts[:writer]]
    if parent and not any(parent in layer.written for layer in below):
        return []  # the COPY makes that directory, which stays
    found = []
    for path, entry in lower.written.items():
        if lower.kinds[entry] in (DIRECTORY, WHITEOUT):
            continue
        if path != before and not path.startswith(before + b"/"):
            return []
        other = upper.written.get(after + path[len(before) :])
        if other is None or lower.index.content(entry) != upper.index.content(other):
            return []
        found.append(Place(killer, other))
    # Into a directory that is there a single file would be put under its own name.
    return [] if any(layer.makes(after) or after in layer.written for layer in below) else found
