"""Rewrite: a script with advice followed, as the text of a Dockerfile and lines for `.dockerignore`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from millefeuille.analysis.advice.dropping import without
from millefeuille.analysis.advice.edits import (
    AddFlag,
    DropCommands,
    Edit,
    Ignore,
    Insert,
    Join,
    Move,
    Prefix,
    Recast,
    Remove,
    Retarget,
)
from millefeuille.analysis.advice.joining import joined, prefixed
from millefeuille.analysis.advice.shell import lists
from millefeuille.analysis.advice.step import Step, read_step
from millefeuille.annotations import Final
from millefeuille.values import dataclass, replace

_SINGLE: Final = ("--chown", "--chmod")
_WORD: Final = re.compile(r"^(\s*\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """The new Dockerfile, the lines that `.dockerignore` gets, and the places of the edits that found nothing
    of what they are to change.
    """

    text: str
    ignored: tuple[str, ...]
    unmade: tuple[int, ...] = ()


@dataclass(kw_only=True, eq=False)
class _Line:
    """A step in the draft: `number` is its place in the script, -1 for a new one; `lead` stands above it."""

    number: int
    step: Step
    lead: tuple[str, ...]
    lines: tuple[str, ...] | None = None  # as they were written, None when they are to be written anew


def rewrite(
    script: Sequence[Step], edits: Iterable[Edit], source: Sequence[str] = (), escape: str = "\\"
) -> Rewritten:
    """The script with the edits made; what they do not touch stays as it is in `source`, the lines of the
    Dockerfile, of which those that end with `escape` go on.
    """
    draft = _Draft(script, source, escape)
    ignored, unmade = [], []
    for place, edit in enumerate(edits):
        if isinstance(edit, Ignore):
            ignored.append(edit.pattern)
        else:
            unmade += [] if draft.can_make(edit) else [place]
            draft.make(edit)
    return Rewritten(text=draft.text(), ignored=tuple(ignored), unmade=tuple(unmade))


class _Draft:
    def __init__(self, script: Sequence[Step], source: Sequence[str], escape: str) -> None:
        self._lines: list[_Line] = []
        self._escape = escape
        self._joined: dict[int, int] = {}  # what is a part of another step now, and of which
        self._dropped: dict[int, set[str]] = {}  # the commands that a step had, without others instead
        at = 0
        for number, step in enumerate(script):
            if source:
                lead, lines = tuple(source[at : step.first - 1]), tuple(source[step.first - 1 : step.last])
                at = step.last
                self._lines.append(_Line(number=number, step=step, lead=lead, lines=lines))
            else:
                self._lines.append(_Line(number=number, step=step, lead=()))
        self._rest = tuple(source[at:])

    def text(self) -> str:
        """The whole, ending with a newline."""
        found: list[str] = []
        for line in self._lines:
            found += line.lead
            found += line.lines if line.lines is not None else (self._text(line.step),)
        return "\n".join((*found, *self._rest)).rstrip("\n") + "\n"

    def _text(self, step: Step) -> str:
        return step.text if step.script else step.text.replace("\\\n", f"{self._escape}\n")

    def can_make(self, edit: Edit) -> bool:
        """Whether there is what an edit is to change; what is to go may be gone already."""
        if isinstance(edit, Insert):
            return bool(self._holding(edit.before))
        if isinstance(edit, Move):
            return bool(self._found(edit.step)) and any(map(self._holding, edit.behind))
        if isinstance(edit, Recast | Retarget):
            return bool(self._found(edit.step))
        if isinstance(edit, DropCommands):
            return edit.step not in self._joined and all(
                self._has(line.step, edit) for line in self._found(edit.step)
            )
        return not isinstance(edit, Remove | Prefix) or edit.step not in self._joined

    def _has(self, step: Step, edit: DropCommands) -> bool:
        there = {text for row in lists(step.body) or ((step.body,),) for text in row}
        gone = set() if edit.instead else self._dropped.get(edit.step, set())
        return there | gone >= set(edit.commands)

    def make(self, edit: Edit) -> None:
        """Make one edit; of what an earlier one took out there is nothing left to edit."""
        if isinstance(edit, AddFlag):
            for line in self._holding(edit.step):
                if edit.flag not in line.step.flags:
                    self._flag(line, edit.flag)
        elif isinstance(edit, DropCommands):
            for line in self._found(edit.step):
                self._drop(line, edit)
        elif isinstance(edit, Prefix):
            for line in self._found(edit.step):
                self._change(line, replace(line.step, body=prefixed(edit.command, line.step.body)))
        elif isinstance(edit, Recast):
            for line in self._found(edit.step):
                self._change(line, replace(line.step, word="RUN", flags=(edit.flag,), body=edit.body))
        elif isinstance(edit, Join):
            self._join(edit)
        elif isinstance(edit, Remove):
            for line in self._found(edit.step):
                self._take(line)
        elif isinstance(edit, Retarget):
            for line in self._found(edit.step):
                self._change(line, replace(line.step, body=edit.operands))
        elif isinstance(edit, Insert):
            self._insert(edit)
        elif isinstance(edit, Move):
            self._move(edit)

    def _found(self, number: int) -> list[_Line]:
        return [line for line in self._lines if line.number == number]

    def _holding(self, number: int) -> list[_Line]:
        """The line that a step is, or is a part of."""
        while number in self._joined:
            number = self._joined[number]
        return self._found(number)

    def _flag(self, line: _Line, flag: str) -> None:
        name = flag.partition("=")[0]
        # Of owner and mode there is one only.
        kept = [one for one in line.step.flags if name not in _SINGLE or one.partition("=")[0] != name]
        step, lines = replace(line.step, flags=(flag, *kept)), line.lines
        self._change(line, step)
        is_whole = step.script or step.body.startswith("[")
        if step.fixed and not is_whole and lines is not None:  # its here-documents are not in its text
            line.lines = (_WORD.sub(lambda word: f"{word[1]} {flag}", lines[0], count=1), *lines[1:])

    def _drop(self, line: _Line, edit: DropCommands) -> None:
        if not edit.instead:
            self._dropped.setdefault(edit.step, set()).update(edit.commands)
        body = without(line.step.body, edit.commands, edit.instead)
        if body:
            self._change(line, replace(line.step, body=body))
        else:
            self._take(line)

    def _join(self, edit: Join) -> None:
        directories = edit.directories or ("",) * len(edit.steps)
        pairs = zip(edit.steps, directories, strict=True)
        found = [(line, directory) for number, directory in pairs for line in self._holding(number)]
        rows = [row for at, row in enumerate(found) if all(row[0] is not other for other, _ in found[:at])]
        if len(rows) < 2:
            return
        lines = [line for line, _ in rows]
        kept = lines[0] if edit.early else lines[-1]
        flags = tuple(dict.fromkeys(flag for line in lines for flag in line.step.flags))
        texts = [(directory, line.step.command or line.step.body) for line, directory in rows]
        body = joined(texts, errexit=edit.errexit)
        if not body:
            return
        # What has lines of its own can stand in a here-document only.
        script = body if any("(\n" in text for _, text in texts) else ""
        for line in lines:
            if line is not kept:
                self._joined[line.number] = kept.number
                self._take(line)
        self._change(
            kept,
            replace(kept.step, flags=flags, body="" if script else body, script=script, fixed=bool(script)),
        )

    def _insert(self, edit: Insert) -> None:
        for line in self._holding(edit.before):
            lead, line.lead = line.lead, ()
            self._lines.insert(
                self._lines.index(line), _Line(number=-1, step=read_step(edit.text), lead=lead)
            )

    def _move(self, edit: Move) -> None:
        for line in self._found(edit.step):
            for other in [one for number in edit.behind for one in self._holding(number)][-1:]:
                at, behind = self._lines.index(line), self._lines.index(other)
                if at < behind:
                    self._lines.insert(behind, self._lines.pop(at))

    def _take(self, line: _Line) -> None:
        """Take a line out, and leave what stands above it."""
        place = self._lines.index(line)
        del self._lines[place]
        if place < len(self._lines):
            self._lines[place].lead = (*line.lead, *self._lines[place].lead)
        else:
            self._rest = (*line.lead, *self._rest)

    @staticmethod
    def _change(line: _Line, step: Step) -> None:
        line.step, line.lines = step, None
