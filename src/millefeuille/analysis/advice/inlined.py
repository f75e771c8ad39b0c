"""Inlined: what a COPY brings and RUNs then change or remove in part, which a RUN copies better itself."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from millefeuille.analysis.advice.advice import ATTRIBUTES, BIND_MOUNT, Advice
from millefeuille.analysis.advice.attributes import changes_of
from millefeuille.analysis.advice.edits import Edit, Recast
from millefeuille.analysis.advice.merging import join, spans
from millefeuille.analysis.advice.mounts import STAGE, is_made, stage_of
from millefeuille.analysis.advice.surroundings import absolute, user
from millefeuille.analysis.advice.waste import Waste, place
from millefeuille.analysis.stacking import DELETED, METADATA, Death
from millefeuille.annotations import Final, NamedTuple
from millefeuille.layers.entry import DIRECTORY, FILE, SYMLINK

_LEAST: Final = 10_000  # bytes for which it is worth it to write a COPY in another way
_SOURCE: Final = re.compile(r"[\w./@%+-]*[\w./@%+*?-]+")
_PATTERN: Final = re.compile(r"[*?]")
_TARGET: Final = re.compile(r"[\w./@%+${}-]+")
_OTHERS: Final = 0o022  # what a usual umask takes away
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
        parts = [whole]
        if not _edits(waste, whole):
            pairs = sorted({(waste.own[death.writer], waste.own[death.killer]) for death in whole.deaths})
            parts = [_span(waste, *pair, found) for pair in pairs]
        for part in parts:
            left = tuple(death for death in part.deaths if place(death) not in waste.claimed)
            advice = _advice(waste, part._replace(deaths=left))
            if advice is not None:
                yield advice


def _span(waste: Waste, first: int, last: int, deaths: Sequence[Death]) -> _Span:
    inside = tuple(
        death for death in deaths if first <= waste.own[death.writer] and waste.own[death.killer] <= last
    )
    return _Span(first, last, tuple(sorted({waste.own[death.writer] for death in inside})), inside)


def _advice(waste: Waste, span: _Span) -> Advice | None:
    causes = {death.cause for death in span.deaths}
    if not causes or sum(map(waste.size, span.deaths)) < _LEAST:
        return None
    edits = _edits(waste, span)
    more = [
        death for death in waste.deaths()
        if edits and span.first <= waste.own[death.writer] and waste.own[death.killer] <= span.last
        and {waste.step(death.writer).word, waste.step(death.killer).word} <= {"RUN"}
    ]  # fmt: skip
    waste.taken.update(span.copies if edits else ())
    kind, text = _named(waste, span, changed=bool(edits) or causes != {DELETED})
    steps = dict.fromkeys(waste.own[each] for death in span.deaths for each in (death.writer, death.killer))
    size, packed, paths = waste.claim(place(death) for death in (*span.deaths, *more))
    return Advice(
        kind=kind, steps=tuple(sorted(steps)), size=size, packed=packed, paths=paths, edits=edits, text=text
    )


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
    joined = join(waste, span.first, span.last, span.copies)
    if not joined:
        return ()
    edits = [edit for edit in made if edit is not None]
    return (*stages, *edits, *joined) if len(edits) == len(made) else ()


def _recast(waste: Waste, number: int) -> Recast | None:
    """A RUN that copies what a COPY does; None where that is not sure."""
    copy = waste.script[number]
    flags = dict(flag.partition("=")[::2] for flag in copy.flags)
    *sources, target = copy.operands
    are_words = all(map(_SOURCE.fullmatch, sources)) and _TARGET.fullmatch(target)
    if copy.fixed or not are_words or ".." in copy.body:
        return None
    if is_made(waste, number):  # in a stage of its own, from which all of it is copied then
        flags = {"--from": f"{STAGE}{number}"} if not flags and len(sources) == 1 else {"": ""}
        sources = ["/"]
    if flags.keys() - {"--from", "--link", "--chown", "--chmod"} or not _is_simple(waste, copy.layer):
        return None
    mount, stage = f"/mnt/copied{number}", flags.get("--from", "")
    whole = len(sources) > 1 or _PATTERN.search(sources[0]) or sources[0] in (".", "./", "/")
    source = "" if whole else ("/" if stage else "") + sources[0].removeprefix("./").strip("/")
    parts = ("--mount=type=bind", stage and f"from={stage}", source and f"source={source}", f"target={mount}")
    places = [f"{mount}/{each.strip('/')}" if whole else mount for each in sources]
    if len(sources) == 1 and whole and not _PATTERN.search(sources[0]):
        places = [mount]
    copying = _Copying(waste, number, flags)
    body = copying.commands(sources, places)
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


class _Copying:
    """The commands that do what a COPY does with what is mounted."""

    def __init__(self, waste: Waste, number: int, flags: Mapping[str, str]) -> None:
        self._waste = waste
        self._number = number
        self._flags = flags
        self._layer = waste.image.parts[waste.script[number].layer].layer
        self._changes = waste.account.changes[waste.script[number].layer]
        self._tool = "cp -a" if "--from" in flags else "cp -RP"

    def commands(self, sources: Sequence[str], places: Sequence[str]) -> str:
        """For the sources of the COPY, which are mounted at these places; "" where it is not plain what
        became of which.
        """
        words = self._waste.script[self._number].operands
        target = absolute(self._waste, self._number, words[-1])
        if target is None:
            return ""
        files = {
            "/" + path.decode("utf-8", "surrogateescape") for path, entry in self._layer.written.items()
            if self._layer.kinds[entry] != DIRECTORY
        }  # fmt: skip
        word = words[-1].rstrip("/") or "/"
        below = target.rstrip("/") + "/"
        if files == {target} and len(sources) == 1:
            command = f"{self._tool if '--from' in self._flags else 'cp'} {places[0]} {_quoted(word)}"
            return self._whole(command, posixpath.dirname(target), word, alone=True)
        if not all(file.startswith(below) for file in files):
            return ""
        texts, named = [], set()
        for source, at in zip(sources, places, strict=True):
            name = posixpath.basename(source.rstrip("/"))
            if _PATTERN.search(source):
                # What a pattern of the shell leaves out: hidden files. And it may find directories.
                if any("/" in file[len(below) :] or file[len(below)] == "." for file in files):
                    return ""
                texts.append(f"{self._tool} {at} {_quoted(word)}/")
                named |= files
            elif below + name in files and name not in ("", "."):
                texts.append(f"{self._tool} {at} {_quoted(posixpath.join(word, name))}")
                named.add(below + name)
            elif "--from" not in self._flags:
                texts.append(f"{self._tool} {at}/. {_quoted(word)}")
                named |= files
            elif any(path.startswith(below[1:].encode() + b".") for path in self._layer.written):
                return ""  # a directory as a whole would give its owner and mode to where it goes
            else:
                texts.append(f"{self._tool} {at}/* {_quoted(word)}/")
                named |= files
        return self._whole(" && ".join(texts), target, word, alone=False) if named == files else ""

    def _whole(self, commands: str, directory: str, word: str, *, alone: bool) -> str:
        """With the directory made that they need, modes kept that a umask would change, and what the flags
        ask for. `alone` for one file, of which `word` is the name.
        """
        below = self._waste.image.parts[: self._waste.script[self._number].layer]
        path = directory.strip("/").encode("utf-8", "surrogateescape")
        is_there = not path or any(path in part.layer.written or part.layer.makes(path) for part in below)
        given = [(flag[2:], self._flags[flag]) for flag in ("--chown", "--chmod") if flag in self._flags]
        name = user(self._waste, self._number)
        if name:  # who copies what is his own afterwards
            if self._flags.get("--chown") not in (name, f"{name}:{name}") or "--from" in self._flags:
                return ""
            if not self._may_write(path):
                return ""
            given = [each for each in given if each[0] != "chown"]
        if given and is_there != alone:
            return ""  # the flags are for directories that are made too, not for those that are there
        if _is_open(self._waste, self._number) and self._tool == "cp -RP":
            commands = f"(umask 0 && {commands})"
        made = posixpath.dirname(word) if alone else word
        deep = "" if alone else "-R "
        ends = [f"{tool} {deep}{value} {_quoted(word)}" for tool, value in given]
        return " && ".join([*([] if is_there else [f"mkdir -p {_quoted(made)}"]), commands, *ends])


    def _may_write(self, path: bytes) -> bool:
        """Whether the directory, or what it is to be made in, is of the owner that the COPY gave."""
        owners = {self._layer.index.uids[n] for n in self._layer.written.values() if n not in self._changes}
        while path:
            for part in reversed(self._waste.image.parts[: self._waste.script[self._number].layer]):
                entry = part.layer.written.get(path)
                if entry is not None:
                    return owners == {part.layer.index.uids[entry]}
            path = path.rpartition(b"/")[0]
        return False


def _is_open(waste: Waste, number: int) -> bool:
    """Whether the COPY made something with a mode that a usual umask does not allow."""
    layer = waste.script[number].layer
    part, changes = waste.image.parts[layer].layer, waste.account.changes[layer]
    rows = enumerate(zip(part.kinds, part.index.modes, strict=True))
    return any(mode & _OTHERS for n, (kind, mode) in rows if kind != SYMLINK and n not in changes)


def _quoted(word: str) -> str:
    return f'"{word}"' if "$" in word else word
