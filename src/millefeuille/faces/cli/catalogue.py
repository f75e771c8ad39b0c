"""The table of commands, looked up: by name, by group, by module."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from millefeuille.faces.cli.command import Command
from millefeuille.faces.cli.commands import COMMANDS, GROUPS, Group, Row


def find(name: str) -> Row | Group | None:
    """The command or group of that full name, any of its names."""
    for row in COMMANDS:
        if name in row.names:
            return row
    return next((group for group in GROUPS if group.name == name), None)


def has_below(name: str) -> bool:
    """Whether there are commands below the command of that name: `build history` below `build`."""
    return any(other.startswith(f"{name} ") for row in COMMANDS for other in row.names)


def listed(group: str) -> Iterator[tuple[str, str]]:
    """(last word, summary) of the commands that the help of `group` shows ("" for the top), by name."""
    found: dict[str, str] = {}
    for row in COMMANDS:
        name = next((name for name in row.names if parent(name) == group), None)
        if name is not None and row.summary:
            found[name.rpartition(" ")[2]] = row.summary
    yield from sorted(found.items())


def shown(row: Row, name: str) -> str:
    """The name that help and errors give a command called `name`: silent aliases show the listed one."""
    return next(other for other in row.names if parent(other) == parent(name))


def parent(name: str) -> str:
    """The group a full name belongs to, "" for the top."""
    return name.rpartition(" ")[0]


def load(row: Row) -> Command:
    """The command itself; imports its module."""
    module = importlib.import_module(f"millefeuille.faces.cli.{row.module}")
    command = module.COMMAND
    assert isinstance(command, Command)
    return command
