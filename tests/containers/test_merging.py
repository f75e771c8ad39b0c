"""The configuration of a container: the image's word where nothing was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from millefeuille.containers.merging import NoCommand, command_of, left_out, merged


@pytest.mark.parametrize(
    ("wanted", "image", "words"),
    [
        ({}, {"Entrypoint": [""], "Cmd": ["/bin/echo", "hi"]}, ("/bin/echo", "hi")),
        ({"Cmd": ["ls"]}, {"Entrypoint": [""], "Cmd": ["/bin/echo", "hi"]}, ("ls",)),
        ({"Entrypoint": [""], "Cmd": ["ls"]}, {"Entrypoint": ["e"]}, ("ls",)),
        ({}, {"Entrypoint": ["e"], "Cmd": ["a"]}, ("e", "a")),
        ({}, {"Entrypoint": ["", "x"]}, ("", "x")),
    ],
)
def test_the_command(wanted: dict[str, Any], image: dict[str, Any], words: tuple[str, ...]) -> None:
    program, arguments = command_of(merged(wanted, image))
    assert (program, *arguments) == words


@pytest.mark.parametrize(
    ("entries", "left"),
    [
        (["A=b", "A=", "A==c"], []),
        (["NOEQ", "=x", "*", "", "A=\0"], ["NOEQ", "=x", "*", "", "A=\0"]),
        (None, []),
    ],
)
def test_what_is_no_variable_is_left_out(entries: list[str] | None, left: list[str]) -> None:
    assert left_out({"Env": entries}) == left


def test_an_empty_entrypoint_of_either_alone_says_nothing_to_run() -> None:
    with pytest.raises(NoCommand):
        command_of(merged({}, {"Entrypoint": [""]}))
