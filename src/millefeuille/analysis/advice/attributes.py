"""Attributes: files that were copied, and then copied again by a RUN that changes only owner or mode."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from millefeuille.analysis.advice.advice import ATTRIBUTES as KIND
from millefeuille.analysis.advice.advice import Advice
from millefeuille.analysis.advice.edits import AddFlag, DropCommands, Edit
from millefeuille.analysis.advice.shell import commands, words
from millefeuille.analysis.advice.step import Step
from millefeuille.analysis.advice.waste import Place, Waste, place
from millefeuille.analysis.stacking import ATTRIBUTES as CHANGED
from millefeuille.analysis.stacking import METADATA, Death
from millefeuille.annotations import Final, NamedTuple
from millefeuille.layers.entry import DIRECTORY, FILE

_OCTAL: Final = re.compile(r"[0-7]{3,4}")
_MOST_DIRECTORIES: Final = 4  # that are named in the command that stays
_PASSWD: Final = (b"etc/passwd", b"etc/group")


class _Change(NamedTuple):
    """A chown or chmod: its text, what it sets, and whether it goes down into directories."""

    tool: str
    text: str
    value: str
    deep: bool


def attributes(waste: Waste) -> Iterator[Advice]:
    """Advice for each COPY or ADD whose files a later RUN wrote again for their owner or mode."""
    groups = waste.pairs(
        lambda death: death.cause == METADATA
        and waste.step(death.writer).word in ("COPY", "ADD")
        and waste.step(death.killer).word == "RUN"
    )
    dropped: set[int] = set()
    for (writer, killer), deaths in groups.items():
        changes = _changes(waste.step(killer))
        if not changes:
            continue
        edits = _edits(waste, writer, killer, deaths, changes, dropped)
        dropped |= {killer} if edits else set()
        size, packed, paths = waste.claim(place(death) for death in deaths)
        if edits:
            # What the RUN wrote again is not stored then, so nothing is saved by removing it elsewhere.
            again = waste.image.parts[killer].layer.written
            waste.claim(Place(killer, again[waste.path(place(death))]) for death in deaths)
        tools = " and ".join(dict.fromkeys(change.tool for change in changes))
        flags = " and ".join(dict.fromkeys(f"--{change.tool}" for change in changes))
        yield Advice(
            kind=KIND, steps=(waste.own[writer], waste.own[killer]), size=size, packed=packed, paths=paths,
            edits=edits,
            text=f"Copy with {flags} in place of {tools} in a later RUN, which stores every file again",
        )  # fmt: skip


def _changes(step: Step) -> tuple[_Change, ...]:
    found = []
    for text in commands(step.body) or ():
        tool, *rest = words(text) or ("",)
        plain = [word for word in rest if not word.startswith("-") or word == "-x"]
        if tool in ("chown", "chmod") and len(plain) > 1:
            deep = any(re.fullmatch(r"-[a-zA-Z]*R[a-zA-Z]*|--recursive", word) for word in rest)
            found.append(_Change(tool, text, plain[0], deep))
        elif tool == "chgrp" and len(plain) > 1:
            return ()
    return tuple(found)


def _edits(
    waste: Waste, writer: int, killer: int, deaths: list[Death], changes: tuple[_Change, ...],
    dropped: set[int],
) -> tuple[Edit, ...]:  # fmt: skip
    """The flags for the COPY, and the commands to leave out; none where flags cannot say the same."""
    copy, run = waste.step(writer), waste.step(killer)
    flags = []
    for tool in dict.fromkeys(change.tool for change in changes):
        asked = [change for change in changes if change.tool == tool]
        value = _value(waste, writer, killer, deaths, asked[-1])
        # An owner that is given is the RUN's in the end; a mode may be so for some files only.
        is_given = tool == "chmod" and any(flag.startswith("--chmod=") for flag in copy.flags)
        if not value or len(asked) > 1 or is_given:
            return ()
        flags.append(f"--{tool}={value}")
    if copy.fixed or run.fixed or killer in dropped or not _only(waste, writer, killer, deaths):
        return ()
    there = _there_before(waste, writer, killer)
    if len(there) > _MOST_DIRECTORIES:
        return ()
    # A directory that was there before the COPY does not get its flags.
    places = " ".join(shlex.quote("/" + path.decode("utf-8", "surrogateescape")) for path in there)
    instead = " && ".join(f"{change.tool} {change.value} {places}" for change in changes) if there else ""
    drops = DropCommands(waste.own[killer], tuple(change.text for change in changes), instead)
    return (*(AddFlag(waste.own[writer], flag) for flag in flags), drops)


def _there_before(waste: Waste, writer: int, killer: int) -> list[bytes]:
    """The directories that the RUN changed and the COPY did not make."""
    lower, upper = waste.image.parts[writer].layer, waste.image.parts[killer].layer
    made = {path for path, n in lower.written.items() if n not in waste.account.changes[writer]}
    changed = waste.account.changes[killer]
    return [
        path for path, n in upper.written.items()
        if upper.kinds[n] == DIRECTORY and changed.get(n) == CHANGED and path not in made
        and _differs(waste, killer, path, n)
    ]  # fmt: skip


def _differs(waste: Waste, killer: int, path: bytes, entry: int) -> bool:
    """Whether a directory got another owner or mode, and not a new time alone."""
    after = waste.image.parts[killer].layer.index
    for part in reversed(waste.image.parts[:killer]):
        before = part.layer.written.get(path)
        if before is not None:
            index = part.layer.index
            old = (index.uids[before], index.gids[before], index.modes[before])
            return old != (after.uids[entry], after.gids[entry], after.modes[entry])
    return True


def _only(waste: Waste, writer: int, killer: int, deaths: list[Death]) -> bool:
    """Whether all files of the COPY were changed, and those alone."""
    lower, upper = waste.image.parts[writer].layer, waste.image.parts[killer].layer
    # What other advice leaves out of the context does not count.
    rows = enumerate(zip(lower.paths, lower.kinds, strict=True))
    copied = {path for n, (path, kind) in rows if kind == FILE and (writer, n) not in waste.claimed}
    changed = {lower.paths[death.entry] for death in deaths}
    empty = {path for path in copied if not lower.sizes[lower.written[path]]}
    return copied == changed | empty and changed <= set(upper.paths)


def _value(waste: Waste, writer: int, killer: int, deaths: list[Death], change: _Change) -> str:
    """What the flag is to say; "" where it cannot."""
    lower, upper = waste.image.parts[writer].layer, waste.image.parts[killer].layer
    entries = [upper.written[lower.paths[death.entry]] for death in deaths]
    if change.tool == "chown":
        between = waste.image.parts[writer + 1 : killer + 1]
        named = not any(path in part.layer.written for part in between for path in _PASSWD)
        owners = {(upper.index.uids[entry], upper.index.gids[entry]) for entry in entries}
        if named and "$" not in change.value and re.fullmatch(r"[^:]+:[^:]+", change.value):
            return change.value
        return "{}:{}".format(*owners.pop()) if len(owners) == 1 else ""
    if change.deep and _OCTAL.fullmatch(change.value):
        return change.value
    modes = {upper.index.modes[entry] for entry in entries}
    made = [path for path, kind in zip(lower.paths, lower.kinds, strict=True) if kind == DIRECTORY]
    files = [lower.paths[death.entry] for death in deaths]
    # The flag is for directories too: only those that the COPY made on the way do not get it.
    if any(not all(file.startswith(path + b"/") for file in files) for path in made if path):
        return ""
    if waste.step(writer).operands[:1] == (".",) or len(modes) != 1:
        return ""
    return f"{modes.pop():04o}"
