"""Every word that can be completed: commands with their flags, groups, global flags."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.annotations import Any
from millefeuille.faces.cli import catalogue
from millefeuille.faces.cli.command import Named
from millefeuille.faces.cli.commands import COMMANDS, GROUPS
from millefeuille.faces.cli.flags import HELP
from millefeuille.faces.cli.options import Option
from millefeuille.values import dataclass

# The calls that list names.
IMAGES = "image ls --format '{{.Repository}}:{{.Tag}}'"
CONTAINERS = "ps --all --format '{{.Names}}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A point on the command line after the words of `names`, any of them ("" for the start).

    `words` are (command, summary) that can follow, `options` the flags, `complete` what arguments name.
    """

    names: tuple[str, ...]
    words: tuple[tuple[str, str], ...] = ()
    options: tuple[Option[Any], ...] = ()
    complete: Named | tuple[str, ...] = ""


def places(top: Sequence[Option[Any]]) -> list[Place]:
    """All places, the start first, whose flags are `top`. Loads every command."""
    groups = sorted((group.name, group.summary) for group in GROUPS)
    words = sorted((*catalogue.listed(""), *groups))
    found = [Place(names=("",), words=tuple(words), options=(*top, HELP))]
    for group in GROUPS:
        found.append(Place(names=(group.name,), words=tuple(catalogue.listed(group.name)), options=(HELP,)))
    for row in COMMANDS:
        command = catalogue.load(row)
        options = (*(option for option in command.options if not option.hidden), HELP)
        found.append(Place(names=row.names, options=options, complete=command.complete))
    return found


def flags(options: Sequence[Option[Any]], *, valued: bool = False) -> list[str]:
    """The flags as typed, long before short; `valued` only those that take a value."""
    chosen = [option for option in options if not (valued and option.switch)]
    longs = [f"--{option.name}" for option in chosen]
    return longs + [f"-{option.short}" for option in chosen if option.short and option is not HELP]


def completing(options: Sequence[Option[Any]], what: str) -> list[str]:
    """The flags whose value names `what`, as typed."""
    return flags([option for option in options if option.complete == what])


def first_line(text: str) -> str:
    """A help text cut down to what fits beside a word."""
    return text.partition("\n")[0]
