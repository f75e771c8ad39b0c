"""Inlined: what a COPY brings and RUNs then change or remove in part, which a RUN copies better itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from millefeuille.analysis.advice.advice import ATTRIBUTES, BIND_MOUNT, Advice
from millefeuille.analysis.advice.attributes import changes_of
from millefeuille.analysis.advice.copying import PATTERN, Copying
from millefeuille.analysis.advice.edits import Edit, Recast
from millefeuille.analysis.advice.merging import join, mounted_at, spans
from millefeuille.analysis.advice.mounts import STAGE, is_made, stage_of
from millefeuille.analysis.advice.unseen import tells_times
from millefeuille.analysis.advice.waste import Waste, place
from millefeuille.analysis.stacking import DELETED, METADATA, Death
from millefeuille.annotations import Final, NamedTuple
from millefeuille.layers.entry import DIRECTORY, FILE, SYMLINK

_LEAST: Final = 10_000  # bytes for which it is worth it to write a COPY in another way
_SOURCE: Final = re.compile(r"[\w./@%+-]*[\w./@%+*?-]+")
_TARGET: Final = re.compile(r"[\w./@%+${}-]+")
_SPECIAL: Final = 0o7000
_CHANGED: Final = "Copy in the RUN that changes the files (RUN --mount=type=bind), not in a layer of its own"
_REMOVED: Final = "Mount what only a command needs (RUN --mount=type=bind) instead of removing it later"


class _Span(NamedTuple):
    """A row of steps, the COPYs in it that are to be RUNs, and the files that are saved."""

    first: int
    last: int
    copies: tuple[int, ...]
    deaths: tuple[Death, ...]


def inlined(waste: Waste) -> Iterator[Advice]:
    """Advice for what nothing simpler was found for."""
    found = [
        death for death in waste.deaths()
        if waste.step(death.writer).word in ("COPY", "ADD") and waste.step(death.killer).word == "RUN"
    ]  # fmt: skip
    for first, last in spans(waste, found):
        whole = _span(waste, first, last, found)
        parts = [(whole, _edits(waste, whole))]
        if not parts[0][1]:
            pairs = sorted({(waste.own[death.writer], waste.own[death.killer]) for death in whole.deaths})
            parts = [(part, _edits(waste, part)) for part in (_span(waste, *pair, found) for pair in pairs)]
        for part, edits in parts:
            left = tuple(death for death in part.deaths if place(death) not in waste.claimed)
            advice = _advice(waste, part._replace(deaths=left), edits)
            if advice is not None:
                yield advice


def _span(waste: Waste, first: int, last: int, deaths: Sequence[Death]) -> _Span:
    inside = tuple(
        death for death in deaths if first <= waste.own[death.writer] and waste.own[death.killer] <= last
    )
    return _Span(first, last, tuple(sorted({waste.own[death.writer] for death in inside})), inside)


def _advice(waste: Waste, span: _Span, edits: tuple[Edit, ...]) -> Advice | None:
    causes = {death.cause for death in span.deaths}
    if not causes or sum(map(waste.size, span.deaths)) < _LEAST:
        return None
    more = [
        death for death in waste.deaths()
        if edits and span.first <= waste.own[death.writer] and waste.own[death.killer] <= span.last
        and {waste.step(death.writer).word, waste.step(death.killer).word} <= {"RUN"}
    ]  # fmt: skip
    waste.give(edits)
    waste.taken.update(span.copies if edits else ())
    kind, text = _named(waste, span, changed=bool(edits) or causes != {DELETED})
    steps = dict.fromkeys(waste.own[each] for death in span.deaths for each in (death.writer, death.killer))
    places = [place(death) for death in (*span.deaths, *more)]
    size, packed, paths = waste.claim(places, is_followed=bool(edits))
    return Advice(
        kind=kind, steps=tuple(sorted(steps)), size=size, packed=packed, paths=paths, edits=edits, text=text,
        left=() if edits else tuple(places),
    )  # fmt: skip


def _named(waste: Waste, span: _Span, *, changed: bool) -> tuple[str, str]:
    """What kind of advice it is, and what it says."""
    tools = {change.tool for death in span.deaths for change in changes_of(waste, death.killer)}
    if {death.cause for death in span.deaths} == {METADATA} and tools:
        return ATTRIBUTES, _CHANGED
    return BIND_MOUNT, _CHANGED if changed else _REMOVED


def _edits(waste: Waste, span: _Span) -> tuple[Edit, ...]:
    """The edits; none where a RUN cannot copy the same."""
    made = [_recast(waste, number) for number in span.copies]
    stages = [edit for number in span.copies for edit in stage_of(waste, number)]
    runs = [step for step in waste.script[span.first : span.last + 1] if step.word == "RUN"]
    joined = join(waste, span.first, span.last, span.copies)
    if not joined or any(map(tells_times, runs)):
        return ()
    edits = [edit for edit in made if edit is not None]
    return (*stages, *edits, *joined) if len(edits) == len(made) else ()


def _recast(waste: Waste, number: int) -> Recast | None:
    """A RUN that copies what a COPY does; None where that is not sure, or other advice gave it flags."""
    copy = waste.script[number]
    if waste.flags.get(number):
        return None
    flags = dict(flag.partition("=")[::2] for flag in copy.flags)
    *sources, target = copy.operands
    are_words = all(map(_SOURCE.fullmatch, sources)) and _TARGET.fullmatch(target)
    if copy.fixed or not are_words or ".." in copy.body:
        return None
    if is_made(waste, number):  # in a stage of its own, from which all of it is copied then
        if flags or len(sources) > 1:
            return None
        flags, sources = {"--from": f"{STAGE}{number}"}, ["/"]
    if flags.keys() - {"--from", "--link", "--chown", "--chmod"} or not _is_simple(waste, copy.layer):
        return None
    mount, stage = mounted_at(number), flags.get("--from", "")
    # One source is mounted itself; several, and those that a pattern finds, with all that there is.
    is_one = len(sources) == 1 and not PATTERN.search(sources[0])
    name = sources[0].removeprefix("./").strip("/.") if is_one else ""
    source = ("/" if stage else "") + sources[0].removeprefix("./").strip("/") if name else ""
    parts = ("--mount=type=bind", stage and f"from={stage}", source and f"source={source}", f"target={mount}")
    places = [mount if is_one else f"{mount}/{each.strip('/')}" for each in sources]
    body = Copying(waste, number, flags).commands(sources, places)
    return Recast(number, ",".join(filter(None, parts)), body) if body else None


def _is_simple(waste: Waste, number: int) -> bool:
    """Whether there is nothing in the layer that a plain `cp` leaves out."""
    layer, changes = waste.image.parts[number].layer, waste.account.changes[number]
    return not any(
        kind not in (FILE, DIRECTORY, SYMLINK)
        or (kind != SYMLINK and entry not in changes and mode & _SPECIAL)
        or layer.index.xattrs(entry)
        for entry, (kind, mode) in enumerate(zip(layer.kinds, layer.index.modes, strict=True))
    )
