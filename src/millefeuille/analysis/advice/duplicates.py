"""Duplicates: what one COPY brought and another COPY brought again, or wrote something else over."""

from __future__ import annotations

import re
from collections.abc import Iterator

from millefeuille.analysis.advice.advice import DUPLICATE, Advice
from millefeuille.analysis.advice.edits import AddFlag, Edit, Remove
from millefeuille.analysis.advice.surroundings import absolute
from millefeuille.analysis.advice.waste import Waste, place
from millefeuille.analysis.stacking import Death
from millefeuille.annotations import Final
from millefeuille.layers.entry import DIRECTORY

_PLAIN: Final = re.compile(r"[\w./@%+,:=~-]+")
_MOST_NAMES: Final = 8  # files that a COPY is told to leave out one by one


def duplicates(waste: Waste, *, is_followed: bool = True) -> Iterator[Advice]:
    """Advice for each COPY or ADD whose files a later COPY or ADD wrote again; a person is to follow it where
    it is not `is_followed`.
    """
    groups = waste.pairs(
        lambda death: {waste.step(death.writer).word, waste.step(death.killer).word} <= {"COPY", "ADD"}
    )
    for (writer, killer), deaths in groups.items():
        edits = _edits(waste, writer, killer, deaths) if is_followed else ()
        waste.give(edits)
        places = [place(death) for death in deaths]
        size, packed, paths = waste.claim(places, is_followed=bool(edits))
        yield Advice(
            kind=DUPLICATE, steps=(waste.own[writer], waste.own[killer]), size=size, packed=packed,
            paths=paths, edits=edits, left=() if edits else tuple(places),
            text="Copy each file once: a later COPY writes these over",
        )  # fmt: skip


def _edits(waste: Waste, writer: int, killer: int, deaths: list[Death]) -> tuple[Edit, ...]:
    first, second = waste.own[writer], waste.own[killer]
    between = waste.script[first + 1 : second]
    is_free = not any(step.word == "RUN" for step in between)
    if is_free and _covers(waste, writer, killer) and _makes_the_same(waste, writer, killer):
        waste.taken.add(first)
        return (Remove(first),)
    copy = waste.script[second]
    is_same = all(map(waste.is_kept, deaths))
    is_same = is_same and _given(waste, first) == _given(waste, second)
    if not is_same or copy.fixed or len(copy.operands) != 2 or copy.word != "COPY":
        return ()
    # Patterns count from the context, which is what is copied when the source is a dot.
    names = sorted({waste.path(place(death)) for death in deaths})
    root = absolute(waste, second, copy.operands[1])
    if copy.operands[0] not in (".", "./") or len(names) > _MOST_NAMES or root is None:
        return ()
    below = [_below(name, root) for name in names]
    return tuple(AddFlag(second, f"--exclude={name}") for name in below) if all(below) else ()


def _given(waste: Waste, number: int) -> set[str]:
    """The flags by which advice gives what a COPY brings another owner and mode."""
    return {flag for flag in waste.flags.get(number, []) if flag.startswith(("--chown=", "--chmod="))}


def _below(name: bytes, root: str) -> str:
    """The path from the directory that the context became; "" where no pattern means that alone."""
    path, above = "/" + name.decode("utf-8", "surrogateescape"), root.rstrip("/") + "/"
    return path[len(above) :] if path.startswith(above) and _PLAIN.fullmatch(path) else ""


def _makes_the_same(waste: Waste, writer: int, killer: int) -> bool:
    """Whether the later COPY makes the directories that the earlier one did as that did."""
    part, changes = waste.image.parts[writer].layer, waste.account.changes[writer]
    if not any(kind == DIRECTORY and n not in changes for n, kind in enumerate(part.kinds)):
        return True
    first, second = waste.own[writer], waste.own[killer]
    one, other = waste.script[first], waste.script[second]
    between = {step.word for step in waste.script[first + 1 : second]}
    is_same = (one.word, one.operands[:-1]) == (other.word, other.operands[:-1])
    return is_same and set(one.flags) == set(other.flags) and "WORKDIR" not in between


def _covers(waste: Waste, writer: int, killer: int) -> bool:
    """Whether the later layer has every path of the earlier one."""
    lower, upper = waste.image.parts[writer].layer, waste.image.parts[killer].layer
    rows = zip(lower.paths, lower.kinds, strict=True)
    return all(path in upper.written for path, kind in rows if kind != DIRECTORY)
