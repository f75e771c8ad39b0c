"""Run arguments: the ARGs that builders write in front of the command of a RUN, `|2 A=1 B=x y`.

Their values have no quotes. The shell in use says where the command begins; in front of a command without
one, only what the rest of the history tells of the values does.
Source: BuildKit, frontend/dockerfile/dockerfile2llb/convert.go, `runCommandString`; moby,
builder/dockerfile/dispatchers.go, `prependEnvOnCmd`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from millefeuille.analysis import pairs
from millefeuille.annotations import Final
from millefeuille.oci.config import History

# As lists have them that are run without the shell in use.
SHELLS: Final = re.compile(r"/(?:usr/)?bin/(?:ba|da|a|z|k)?sh (?:-\w+ |pipefail )*-\w*c ")
_ARGUMENTS: Final = re.compile(r"(?:RUN )?\|(\d{1,4}) (.*)", re.DOTALL)
_PAIR: Final = re.compile(r"([A-Za-z_][\w.-]*)=")
# What a command may begin with; other words are rather the end of a value.
_PROGRAM: Final = re.compile(r"[A-Za-z_./][^\s=]*(?!\S)")
_VALUES: Final = 64  # that are kept of one name
_PLACES: Final = 16  # at which some of the arguments may end, or nobody can say

Steps = Iterable[tuple[History, str, str]]
"""Steps of a history, each with its instruction and the shell in use."""


def command(text: str, shell: str, known: Mapping[str, Iterable[str]]) -> str | None:
    """What a RUN runs, without the arguments in front of it; None where nothing says where they end.

    `known` has for each name the values that an ARG may have (see `known_values`).
    """
    found = _ARGUMENTS.fullmatch(text)
    if not found:
        return None if text.startswith("|") else text
    place = _shell_place(found[2], shell)
    return found[2][place:] if place is not None else _behind(found[2], int(found[1]), known)


def known_values(steps: Steps) -> Mapping[str, Iterable[str]]:
    """The values that a history tells of ARGs, by name: those of ARG and ENV, and those that a RUN with a
    shell has, since a build may have given another one. Of very many for one name there are not all.
    """
    known: dict[str, set[str]] = {}
    for step, text, shell in steps:
        word, _, rest = text.partition(" ")
        if word in ("ARG", "ENV"):
            told = pairs.possible(rest)
        else:
            told = list(_values(step, shell).items())
        for name, value in told:
            values = known.setdefault(name, set())
            if len(values) < _VALUES:
                values.add(value)
    return known


def first_values(steps: Steps) -> Mapping[str, str]:
    """What the first RUN that tells of them has for ARGs, but for those that are set again before it."""
    again: set[str] = set()
    for step, text, shell in steps:
        word, _, rest = text.partition(" ")
        if word in ("ARG", "ENV"):
            again.update(name for name, _ in pairs.possible(rest))
        elif values := _values(step, shell):
            return {name: value for name, value in values.items() if name not in again}
    return {}


def _values(step: History, shell: str) -> Mapping[str, str]:
    """The arguments in front of a command with a shell."""
    found = _ARGUMENTS.match(step.created_by.strip())
    place = _shell_place(found[2], shell) if found else None
    return pairs.parted(found[2][: max(place - 1, 0)], int(found[1])) if found and place is not None else {}


def _shell_place(text: str, shell: str) -> int | None:
    """Where the shell stands behind arguments, whose values may have blanks in them."""
    place = f" {text}".find(f" {shell} ")
    found = None if place >= 0 else SHELLS.search(text)
    return found.start() if found else place if place >= 0 else None


def _behind(text: str, count: int, known: Mapping[str, Iterable[str]]) -> str | None:
    """What stands behind so many arguments; None where they may end at no place, or at several."""
    places = {0}
    for _ in range(count):
        places = {
            found.end() + len(value) + 1
            for place in places
            if (found := _PAIR.match(text, place))
            for value in known.get(found[1], ())
            if text.startswith(f"{value} ", found.end())
        }
        if not 0 < len(places) <= _PLACES:
            return None
    ends = [place for place in places if _PROGRAM.match(text, place)]
    return text[ends[0] :] if len(ends) == 1 else None
