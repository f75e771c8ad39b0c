"""The scripted cases, and where `mille` is known to differ from Docker's engine in them.

    ## the heading of a case
    docker run busybox true

In the list of differences, what `mille` does (masked), and why, stands below the line of the case:

    ## the heading of a case
    $ docker run busybox true
    E| Error: no
    => rc=1
    because: the reason
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A heading, and the lines to give to sh one after the other."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a line printed, and its exit code."""

    stdout: str
    stderr: str
    code: int

    def __str__(self) -> str:
        streams = (("O", self.stdout), ("E", self.stderr))
        told = [f"{letter}| {line}" for letter, text in streams for line in _lines(text)]
        return "\n".join([*told, f"=> rc={self.code}"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What `mille` does instead of what Docker does, and why."""

    ours: Outcome
    reason: str


def cases() -> list[Case]:
    """All cases, in order."""
    return [
        Case(name=name, lines=tuple(x for x in body.splitlines() if x and not x.startswith("#")))
        for name, body in _sections(HERE / "cases.txt")
    ]


def differences() -> Mapping[tuple[str, str], Difference]:
    """What is known to differ, by a case's heading and its line (with ` #2` at the second of equal ones)."""
    found = {}
    pattern = re.compile(r"^\$ (.*)\n((?:[OE]\|.*\n)*)=> rc=(\d+)\nbecause: (.*)$", re.MULTILINE)
    for name, body in _sections(HERE / "differences.txt"):
        for line, told, code, reason in pattern.findall(body):
            ours = Outcome(stdout=_stream(told, "O"), stderr=_stream(told, "E"), code=int(code))
            found[name, line] = Difference(ours=ours, reason=reason)
    return found


def keys(case: Case) -> list[str]:
    """A key for each line of a case, equal lines told apart."""
    seen: dict[str, int] = {}
    found = []
    for line in case.lines:
        seen[line] = seen.get(line, 0) + 1
        found.append(line if seen[line] == 1 else f"{line} #{seen[line]}")
    return found


def _sections(path: Path) -> list[tuple[str, str]]:
    parts = re.split(r"^## (.*)\n", path.read_text(), flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def _stream(told: str, letter: str) -> str:
    lines = (line[3:].replace(r"\r", "\r") for line in told.splitlines() if line.startswith(f"{letter}|"))
    return "\n".join(lines)


def _lines(text: str) -> list[str]:
    """As in the list of differences, where a carriage return is written `\\r`."""
    return text.replace("\r", r"\r").splitlines()
