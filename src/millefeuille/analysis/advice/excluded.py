"""Excluded: what a COPY of a directory brings, and the RUN behind it removes at once."""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.analysis.advice import removing, shell
from millefeuille.analysis.advice.advice import IGNORE, Advice
from millefeuille.analysis.advice.edits import AddFlag, DropCommands, Edit, Ignore
from millefeuille.analysis.advice.surroundings import absolute
from millefeuille.analysis.advice.waste import Waste, place
from millefeuille.annotations import Final

_MOST: Final = 8  # paths that are worth naming
_SPECIAL: Final = frozenset("*?[]!#\\ \"'")  # what a pattern has another meaning for


def excluded(waste: Waste) -> Iterator[Advice]:
    """Advice for each COPY from the context of which the next RUN removes a part."""
    for (writer, killer), deaths in waste.removed_copies().items():
        edits = _edits(waste, writer, killer)
        if edits:
            waste.give(edits)
            size, packed, paths = waste.claim(place(death) for death in deaths)
            yield Advice(
                kind=IGNORE, steps=(waste.own[writer], waste.own[killer]), size=size, packed=packed,
                paths=paths, edits=edits, text="Do not copy what the next RUN removes",
            )  # fmt: skip


def _edits(waste: Waste, writer: int, killer: int) -> tuple[Edit, ...]:
    first, second = waste.own[writer], waste.own[killer]
    copy, run = waste.script[first], waste.script[second]
    if copy.fixed or run.fixed or copy.word != "COPY" or len(copy.operands) != 2:
        return ()
    if not copy.copies or not waste.is_next(first, second):
        return ()
    source = copy.operands[0].strip("/").removeprefix("./")
    source = "" if source == "." else source
    target = absolute(waste, first, copy.operands[1])
    names = [f"/{path.decode('utf-8', 'surrogateescape')}" for path in waste.account.removed[killer]]
    if target is None or not names or len(names) > _MOST:
        return ()
    prefix = target.rstrip("/") + "/"
    below = [name.removeprefix(prefix) for name in names]
    if not all(name.startswith(prefix) and _brought(waste, writer, killer, name) for name in names):
        return ()
    # What stands before the removal may need what is removed.
    removed = removing.commands(waste, killer, names)
    if not removed or (shell.commands(run.body) or ())[: len(removed)] != removed:
        return ()
    drop = DropCommands(second, removed)
    if _SPECIAL.intersection("".join(below)) or "$" in copy.body:
        return ()
    if sum(step.copies or "type=bind" in " ".join(step.flags) for step in waste.script) == 1:
        return (*(Ignore(f"{source}/{name}".strip("/")) for name in below), drop)
    return (*(AddFlag(first, f"--exclude={name}") for name in below), drop)


def _brought(waste: Waste, writer: int, killer: int, name: str) -> bool:
    """Whether the COPY brought this path, and no layer below has it, nor one that lies between."""
    path = name[1:].encode("utf-8", "surrogateescape")
    layers = [part.layer for part in waste.image.parts[:killer]]
    is_new = not any(path in layer.written for layer in (*layers[:writer], *layers[writer + 1 :]))
    is_new = is_new and not any(layer.makes(path) for layer in layers[writer + 1 :])
    return is_new and (layers[writer].makes(path) or path in layers[writer].written)
