"""Edits: the ways in which advice changes a Dockerfile. Steps are meant by their place in the script."""

from __future__ import annotations

from millefeuille.annotations import NamedTuple


class AddFlag(NamedTuple):
    """Give an instruction one more flag, in front of the others."""

    step: int
    flag: str


class DropCommands(NamedTuple):
    """Take simple commands out of a RUN, perhaps with another `instead`; the RUN goes when none is left."""

    step: int
    commands: tuple[str, ...]
    instead: str = ""


class Prefix(NamedTuple):
    """Run another command first in a RUN."""

    step: int
    command: str


class Recast(NamedTuple):
    """Make a RUN of another instruction."""

    step: int
    flag: str
    body: str


class Join(NamedTuple):
    """Make one RUN of several, where the last of them stands, or the first: then it is `early`.

    `directories` has for each the one to go to, "" for none, or is empty. `errexit` where the shell ends with
    the first command that fails.
    """

    steps: tuple[int, ...]
    directories: tuple[str, ...] = ()
    early: bool = False
    errexit: bool = False


class Remove(NamedTuple):
    """Take an instruction out."""

    step: int


class Insert(NamedTuple):
    """Put an instruction in front of another."""

    before: int
    text: str


class Move(NamedTuple):
    """Put an instruction behind others, where it is not: behind the last of them that there still is."""

    step: int
    behind: tuple[int, ...]


class Ignore(NamedTuple):
    """Leave files out of the context: one more line of `.dockerignore`."""

    pattern: str


class Retarget(NamedTuple):
    """Give a COPY other operands."""

    step: int
    operands: str


Edit = AddFlag | DropCommands | Prefix | Recast | Join | Remove | Insert | Move | Ignore | Retarget
