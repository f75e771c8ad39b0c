"""`mille dive` where it is about no image: its version, its help, and flags that there are not."""

from __future__ import annotations

import pytest
from tests.faces.cli.home import Home

import millefeuille


@pytest.mark.parametrize("word", ["version", "--version", "-v"])
def test_the_version_begins_as_dives_does(home: Home, word: str) -> None:
    assert home.mille("dive", word) == (f"dive 0.13.1 (mille {millefeuille.__version__})\n", "", 0)


def test_help_is_a_command_too(home: Home) -> None:
    assert home.mille("dive", "help") == home.mille("dive", "--help")
    assert home.mille("dive", "help", "build") == home.mille("dive", "build", "--help")
    assert home.mille("dive", "help", "nothing") == ("", "unknown help topic: nothing\n", 2)


def test_completion_is_that_of_all_commands(home: Home) -> None:
    out, err, code = home.mille("dive", "completion", "bash")
    assert (err, code) == ("", 0)
    assert out == home.mille("completion", "bash")[0]


def test_without_an_image_there_is_nothing_to_show(home: Home) -> None:
    out, err, code = home.mille("dive")
    assert (out, err.splitlines()[0], code) == ("", "No image argument given", 2)


@pytest.mark.parametrize("command", ["analyze", "dive", "image diff", "image secrets"])
def test_a_flag_that_there_is_not_is_no_broken_rule(home: Home, command: str) -> None:
    out, err, code = home.mille(*command.split(), "--nope", "image")
    assert (out, err.splitlines()[0], code) == ("", "unknown flag: --nope", 2)
