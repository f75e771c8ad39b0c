"""Rewrite: a script with advice followed, as the text of a Dockerfile and lines for `.dockerignore`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from millefeuille.analysis.advice.edits import (
    AddFlag,
    DropCommands,
    Edit,
    Ignore,
    Insert,
    Join,
    Move,
    Remove,
    Retarget,
)
from millefeuille.analysis.advice.shell import joined, without
from millefeuille.analysis.advice.step import Step, read_step
from millefeuille.annotations import Final
from millefeuille.values import dataclass, replace

_SINGLE: Final = ("--chown", "--chmod")
_WORD: Final = re.compile(r"^(\s*\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """The new Dockerfile, and the lines that `.dockerignore` gets."""

    text: str
    ignored: tuple[str, ...]


@dataclass(kw_only=True)
class _Line:
    """A step in the draft: `number` is its place in the script, -1 for a new one; `lead` stands above it."""

    number: int
    step: Step
    lead: tuple[str, ...]
    lines: tuple[str, ...] | None = None  # as they were written, None when they are to be written anew


def rewrite(script: Sequence[Step], edits: Iterable[Edit], source: Sequence[str] = ()) -> Rewritten:
    """The script with the edits made; what they do not touch stays as it is in `source`, the lines of the
    Dockerfile.
    """
    draft = _Draft(script, source)
    ignored = []
    for edit in edits:
        if isinstance(edit, Ignore):
            ignored.append(edit.pattern)
        else:
            draft.make(edit)
    return Rewritten(text=draft.text(), ignored=tuple(ignored))


class _Draft:
    def __init__(self, script: Sequence[Step], source: Sequence[str]) -> None:
        self._lines: list[_Line] = []
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
            found += line.lines if line.lines is not None else (line.step.text,)
        return "\n".join((*found, *self._rest)).rstrip("\n") + "\n"

    def make(self, edit: Edit) -> None:
        """Make one edit; of what an earlier one took out there is nothing left to edit."""
        if isinstance(edit, AddFlag):
            for line in self._found(edit.step):
                if edit.flag not in line.step.flags:
                    self._flag(line, edit.flag)
        elif isinstance(edit, DropCommands):
            for line in self._found(edit.step):
                self._drop(line, edit)
        elif isinstance(edit, Join):
            self._join([line for number in edit.steps for line in self._found(number)])
        elif isinstance(edit, Remove):
            for line in self._found(edit.step):
                self._take(line)
        elif isinstance(edit, Retarget):
            for line in self._found(edit.step):
                self._change(line, replace(line.step, body=edit.operands))
        elif isinstance(edit, Insert):
            for line in self._found(edit.before):
                lead, line.lead = line.lead, ()
                self._lines.insert(
                    self._lines.index(line), _Line(number=-1, step=read_step(edit.text), lead=lead)
                )
        elif isinstance(edit, Move):
            self._move(edit)

    def _found(self, number: int) -> list[_Line]:
        return [line for line in self._lines if line.number == number]

    def _flag(self, line: _Line, flag: str) -> None:
        name = flag.partition("=")[0]
        # Of owner and mode there is one only.
        kept = [one for one in line.step.flags if name not in _SINGLE or one.partition("=")[0] != name]
        step, lines = replace(line.step, flags=(flag, *kept)), line.lines
        self._change(line, step)
        if step.fixed and lines is not None:  # with a here-document its lines are more than its text
            line.lines = (_WORD.sub(lambda word: f"{word[1]} {flag}", lines[0], count=1), *lines[1:])

    def _drop(self, line: _Line, edit: DropCommands) -> None:
        body = without(line.step.body, edit.commands, edit.instead)
        if body:
            self._change(line, replace(line.step, body=body))
        else:
            self._take(line)

    def _join(self, lines: list[_Line]) -> None:
        if len(lines) < 2:
            return
        last = lines[-1]
        flags = tuple(dict.fromkeys(flag for line in lines for flag in line.step.flags))
        body = joined([line.step.body for line in lines])
        for line in lines[:-1]:
            self._take(line)
        self._change(last, replace(last.step, flags=flags, body=body))

    def _move(self, edit: Move) -> None:
        for line in self._found(edit.step):
            behind = [place for place, other in enumerate(self._lines) if other.number == edit.behind]
            if behind:
                self._lines.insert(behind[-1] + 1, line)
                self._lines.remove(line) if self._lines.index(line) < behind[-1] else None

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
