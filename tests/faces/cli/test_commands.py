from __future__ import annotations

from pathlib import Path

import pytest

from millefeuille.faces import cli
from millefeuille.faces.cli import catalogue
from millefeuille.faces.cli.commands import COMMANDS, COMMON, GROUPS, Row

_FOLDER = Path(cli.__path__[0])
_GROUP_FOLDERS = ("container", "image", "manifest", "system", "top")


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.module)
def test_every_command_can_be_loaded_and_is_well_formed(row: Row) -> None:
    command = catalogue.load(row)
    names = [option.name for option in command.options]
    letters = [option.short for option in command.options if option.short]
    assert len(set(names)) == len(names)
    assert len(set(letters)) == len(letters)
    assert command.usage.startswith("[OPTIONS]") == bool(command.options)
    assert not row.summary.endswith(".")
    assert all(option.help for option in command.options)


def test_names_are_unique_and_lead_to_their_command() -> None:
    names = [name for row in COMMANDS for name in row.names]
    assert len(set(names)) == len(names)
    assert all(catalogue.find(name) is row for row in COMMANDS for name in row.names)
    groups = {group.name for group in GROUPS}
    # `build history` and `dive build` stand below a command.
    assert {catalogue.parent(name) for name in names} <= groups | {"", "build", "dive"}
    assert not groups & set(names)


def test_every_module_of_a_group_is_in_the_table() -> None:
    rows = {row.module for row in COMMANDS}
    for folder in _GROUP_FOLDERS:
        for path in (_FOLDER / folder).glob("*.py"):
            text = path.read_text()
            assert (f"{folder}.{path.stem}" in rows) == ("\nCOMMAND = " in text), path


def test_common_commands_stand_at_the_top() -> None:
    top = {name for name, _ in catalogue.listed("")}
    assert {"pull", "push", "images", "version"} <= top & set(COMMON)


def test_twins_share_their_module() -> None:
    for twin, name in (
        ("rmi", "image rm"),
        ("images", "image ls"),
        ("info", "system info"),
        ("pull", "image pull"),
    ):
        assert catalogue.find(twin) is catalogue.find(name)
