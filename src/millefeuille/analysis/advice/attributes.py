"""Attributes: files that were copied, and then copied again by a RUN that changes only owner or mode."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from millefeuille.analysis.advice.advice import ATTRIBUTES as KIND
from millefeuille.analysis.advice.advice import Advice
from millefeuille.analysis.advice.edits import AddFlag, DropCommands, Edit
from millefeuille.analysis.advice.remaining import still_there
from millefeuille.analysis.advice.shell import commands, words
from millefeuille.analysis.advice.surroundings import absolute
from millefeuille.analysis.advice.unseen import are_unseen
from millefeuille.analysis.advice.waste import Place, Waste, place
from millefeuille.analysis.stacking import ATTRIBUTES as CHANGED
from millefeuille.analysis.stacking import METADATA, Death
from millefeuille.annotations import Final, NamedTuple
from millefeuille.layers.entry import DIRECTORY, FILE

_OCTAL: Final = re.compile(r"[0-7]{3,4}")
_SETS_ID: Final = re.compile(r"0*[1-7][0-7]{3}|.*s.*")
_MOST_DIRECTORIES: Final = 4  # that are named in the command that stays
_SPECIAL: Final = re.compile(r"[*?\[$`~{]")
_PASSWD: Final = (b"etc/passwd", b"etc/group")


class _Change(NamedTuple):
    """A chown or chmod: its text, what it sets, whether it goes down into directories, and where it begins;
    a place is None where only a shell could tell.
    """

    tool: str
    text: str
    value: str
    deep: bool
    places: tuple[str | None, ...]

    def concerns(self, path: str) -> bool:
        """Whether it may change what is at `path`."""
        return any(
            place is None or path == place or (self.deep and path.startswith(place.rstrip("/") + "/"))
            for place in self.places
        )


Copied = Mapping[int, Sequence[Death]]  # by the layer of a COPY, its files that were written again


def attributes(waste: Waste) -> Iterator[Advice]:
    """Advice for each RUN that wrote files of COPYs or ADDs again for their owner or mode alone, where flags
    say the same.
    """
    groups = waste.pairs(
        lambda death: death.cause == METADATA
        and waste.step(death.writer).word in ("COPY", "ADD")
        and waste.step(death.killer).word == "RUN"
    )
    for killer in dict.fromkeys(killer for _, killer in groups):
        copied = {writer: deaths for (writer, other), deaths in groups.items() if other == killer}
        edits, used = _edits(waste, killer, copied)
        if not edits:
            continue
        waste.give(edits)
        places = [place(death) for deaths in copied.values() for death in deaths]
        size, packed, paths = waste.claim(places)
        # What the RUN wrote again is not stored then, so nothing is saved by removing it elsewhere.
        waste.claim(Place(killer, entry) for entry in _again(waste, killer, copied))
        tools = " and ".join(dict.fromkeys(change.tool for change in used))
        flags = " and ".join(dict.fromkeys(f"--{change.tool}" for change in used))
        yield Advice(
            kind=KIND, steps=(*(waste.own[writer] for writer in copied), waste.own[killer]), size=size,
            packed=packed, paths=paths, edits=edits,
            text=f"Copy with {flags} in place of {tools} in a later RUN, which stores every file again",
        )  # fmt: skip


def changes_of(waste: Waste, layer: int) -> tuple[_Change, ...]:
    """The commands of a RUN that set owners and modes."""
    number = waste.own[layer]
    found, moved = [], False
    for text in commands(waste.script[number].body) or ():
        tool, *rest = words(text) or ("",)
        moved = moved or tool == "cd"
        plain = [word for word in rest if not word.startswith("-") or word == "-x"]
        if tool in ("chown", "chmod", "chgrp") and len(plain) > 1:
            deep = any(re.fullmatch(r"-[a-zA-Z]*R[a-zA-Z]*|--recursive", word) for word in rest)
            places = tuple(
                None if _SPECIAL.search(word) or (moved and word[0] != "/") else absolute(waste, number, word)
                for word in plain[1:]
            )
            found.append(_Change(tool, text, plain[0], deep, places))
    return tuple(found)


def _edits(waste: Waste, killer: int, copied: Copied) -> tuple[tuple[Edit, ...], tuple[_Change, ...]]:
    """The flags for the COPYs and the commands to leave out, and these; none where flags do not do."""
    changes = changes_of(waste, killer)
    if waste.step(killer).fixed or any(change.tool == "chgrp" for change in changes):
        return (), ()
    edits: list[Edit] = []
    used: list[_Change] = []
    for writer, deaths in copied.items():
        found = _flags(waste, writer, killer, deaths, changes)
        if not found:
            return (), ()
        edits += [AddFlag(waste.own[writer], flag) for flag in found]
        used += found.values()
    there = still_there(waste, killer, _there_before(waste, copied, killer))
    if there is None:
        return (), ()
    used = sorted(dict.fromkeys(used), key=changes.index)
    instead = _instead(used, changes, there)
    if len(there) > _MOST_DIRECTORIES or instead is None or not _nothing_else(waste, killer, copied, used):
        return (), ()
    texts = tuple(change.text for change in used)
    if not all(are_unseen(waste, writer, killer, texts) for writer in copied):
        return (), ()
    return (*edits, DropCommands(waste.own[killer], texts, instead)), tuple(used)


def _instead(used: Sequence[_Change], changes: Sequence[_Change], there: Sequence[bytes]) -> str | None:
    """What does for the directories that were there before the COPYs, which do not get their flags, what the
    commands `used` did among all `changes`; None where that is not known.
    """
    if not there:
        return ""
    found, between = [], changes[changes.index(used[0]) : changes.index(used[-1])]
    paths = ["/" + path.decode("utf-8", "surrogateescape") for path in there]
    # It is done where the first of them was, so what comes between them would be done later.
    if any(None in change.places for change in used) or any(
        change not in used and any(map(change.concerns, paths)) for change in between
    ):
        return None
    for change in used:
        places = " ".join(shlex.quote(path) for path in paths if change.concerns(path))
        found += [f"{change.tool} {change.value} {places}"] if places else []
    return " && ".join(found)


def _flags(
    waste: Waste, writer: int, killer: int, deaths: Sequence[Death], changes: Sequence[_Change]
) -> dict[str, _Change]:
    """The flags that do for a COPY what commands of the RUN do, with these; none where flags cannot."""
    copy = waste.step(writer)
    if (copy.fixed and not copy.body.startswith("[")) or not _only(waste, writer, killer, deaths):
        return {}
    found = {}
    paths = ["/" + waste.path(place(death)).decode("utf-8", "surrogateescape") for death in deaths]
    concerned = [each for each in changes if any(map(each.concerns, paths))]
    for tool in _changed(waste, writer, killer, deaths, concerned):
        asked = [each for each in concerned if each.tool == tool]
        # An owner that is given is the RUN's in the end; a mode may be so for some files only.
        is_given = tool == "chmod" and any(flag.startswith("--chmod=") for flag in copy.flags)
        value = _value(waste, writer, killer, deaths, asked[0]) if len(asked) == 1 and not is_given else ""
        if not value:
            return {}
        found[f"--{tool}={value}"] = asked[0]
    return found


def _changed(
    waste: Waste, writer: int, killer: int, deaths: Sequence[Death], changes: Sequence[_Change]
) -> list[str]:
    """The commands that must have been: for owners, for modes."""
    lower, upper = waste.image.parts[writer].layer, waste.image.parts[killer].layer
    old, new = lower.index, upper.index
    pairs = [(death.entry, upper.written[lower.paths[death.entry]]) for death in deaths]
    owners = any((old.uids[a], old.gids[a]) != (new.uids[b], new.gids[b]) for a, b in pairs)
    modes = any(old.modes[a] != new.modes[b] for a, b in pairs)
    # A new owner takes bits away which would stay if it came before the command that sets them.
    modes = modes or any(change.tool == "chmod" and _SETS_ID.fullmatch(change.value) for change in changes)
    return ["chown"] * owners + ["chmod"] * modes


def _nothing_else(waste: Waste, killer: int, copied: Copied, used: Sequence[_Change]) -> bool:
    """Whether the commands changed nothing but what the COPYs brought."""
    layer, changed = waste.image.parts[killer].layer, waste.account.changes[killer]
    brought = {path for writer in copied for path in waste.image.parts[writer].layer.written}
    owners = {(layer.index.uids[n], layer.index.gids[n]) for n in _again(waste, killer, copied)}
    for path, n in layer.written.items():
        if path in brought or (layer.kinds[n] == DIRECTORY and n in changed):
            continue
        text = "/" + path.decode("utf-8", "surrogateescape")
        if changed.get(n) == CHANGED and any(change.concerns(text) for change in used):
            return False
        # What is new there may have been made before the command, or behind it.
        if n not in changed and any(
            change.concerns(text)
            and (change.tool == "chmod" or (layer.index.uids[n], layer.index.gids[n]) in owners)
            for change in used
        ):
            return False
    return True


def _again(waste: Waste, killer: int, copied: Copied) -> Iterator[int]:
    """The entries of the RUN's layer that are files of the COPYs."""
    written = waste.image.parts[killer].layer.written
    return (written[waste.path(place(death))] for deaths in copied.values() for death in deaths)


def _there_before(waste: Waste, copied: Copied, killer: int) -> list[bytes]:
    """The directories that the RUN changed and the COPYs did not make."""
    upper = waste.image.parts[killer].layer
    made = {
        path for writer in copied for path, n in waste.image.parts[writer].layer.written.items()
        if n not in waste.account.changes[writer]
    }  # fmt: skip
    changed = waste.account.changes[killer]
    return [
        path for path, n in upper.written.items()
        if upper.kinds[n] == DIRECTORY and changed.get(n) == CHANGED and path not in made
        and waste.is_other(killer, path)
    ]  # fmt: skip


def _only(waste: Waste, writer: int, killer: int, deaths: Sequence[Death]) -> bool:
    """Whether all files of the COPY were changed, and those alone."""
    lower, upper = waste.image.parts[writer].layer, waste.image.parts[killer].layer
    # What other advice leaves out of the context does not count.
    rows = enumerate(zip(lower.paths, lower.kinds, strict=True))
    copied = {path for n, (path, kind) in rows if kind == FILE and (writer, n) not in waste.claimed}
    changed = {lower.paths[death.entry] for death in deaths}
    empty = {path for path in copied if not lower.sizes[lower.written[path]]}
    return copied == changed | empty and changed <= set(upper.paths)


def _value(waste: Waste, writer: int, killer: int, deaths: Sequence[Death], change: _Change) -> str:
    """What the flag is to say; "" where it cannot."""
    lower, upper = waste.image.parts[writer].layer, waste.image.parts[killer].layer
    entries = [upper.written[lower.paths[death.entry]] for death in deaths]
    # The flag is for the directories that the COPY makes, too.
    made = [
        path for path, n in lower.written.items()
        if lower.kinds[n] == DIRECTORY and n not in waste.account.changes[writer]
    ]  # fmt: skip
    if any(path not in upper.written for path in made):
        return ""
    entries += [upper.written[path] for path in made]
    if change.tool == "chown":
        between = waste.image.parts[writer + 1 : killer + 1]
        named = not any(path in part.layer.written for part in between for path in _PASSWD)
        owners = {(upper.index.uids[entry], upper.index.gids[entry]) for entry in entries}
        if len(owners) != 1:
            return ""
        is_plain = "$" not in change.value and re.fullmatch(r"[^:]+:[^:]+", change.value)
        return change.value if named and is_plain else "{}:{}".format(*owners.pop())
    modes = {upper.index.modes[entry] for entry in entries}
    if len(modes) != 1:
        return ""
    mode = modes.pop()
    is_said = _OCTAL.fullmatch(change.value) and int(change.value, 8) == mode
    return change.value if is_said else f"{mode:04o}"
