"""Errors and help against transcripts of docker 28.2.2 (`vectors/usage.json`, `vectors/help/`)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from millefeuille.faces.cli import catalogue, usage
from millefeuille.faces.cli.commands import Row
from millefeuille.faces.cli.main import main

_VECTORS = Path(__file__).parent / "vectors"
_USAGE = json.loads((_VECTORS / "usage.json").read_text())
_HELP = sorted((_VECTORS / "help").glob("*.txt"))

# What mille has beyond Docker, and so has no place in Docker's help.
_OURS = {
    "image ls": {"layers", "sort"}, "image prune": {"dry-run"}, "image save": {"format"},
    "container create": {"unsafe"}, "container run": {"unsafe"},
}  # fmt: skip
# Where our summary, usage or details say another thing on purpose.
_OTHER_WORDS = {
    "Show the Docker version information": "Show the version information",
    "Show mille disk usage": "Show disk usage",
    "Get real time events from the server": "Get real time events from the engine",
    "Return low-level information on Docker objects": "Return low-level information on stored objects",
    "mille image pull [OPTIONS] NAME[:TAG|@DIGEST]": (
        "mille image pull [OPTIONS] NAME[:TAG|@DIGEST] [NAME[:TAG|@DIGEST]...]"
    ),
}


def _ours(text: str) -> str:
    """Docker's text with our name in it, and its misprint mended."""
    return re.sub(r"\bdocker\b(?!\.com)", "mille", text).replace("SRun", "Run")


@pytest.mark.parametrize(
    "case", _USAGE, ids=lambda case: " ".join(case["words"]).encode("unicode_escape").decode()
)
def test_refuses_what_docker_refuses_in_its_words(
    case: dict[str, object], capfd: pytest.CaptureFixture[str]
) -> None:
    words = case["words"]
    assert isinstance(words, list)
    code = main(words)
    captured = capfd.readouterr()
    assert (captured.out, captured.err, code) == ("", _ours(str(case["stderr"])), case["code"])


def test_there_are_enough_transcripts() -> None:
    assert len(_USAGE) >= 670
    assert len(_HELP) >= 60


@pytest.mark.parametrize("path", _HELP, ids=lambda path: path.stem)
def test_help_is_laid_out_as_docker_does(path: Path) -> None:
    name, _, width = path.stem.replace("-", " ").partition(".")
    row = catalogue.find(name)
    assert isinstance(row, Row)
    command = catalogue.load(row)
    extra = _OURS.get(row.names[0], set())
    options = tuple(option for option in command.options if option.name not in extra)
    shown = usage.command_help(f"mille {name}", row, command._replace(options=options), int(width or 80))
    expected = path.read_text()
    expected = re.sub(r"EXPERIMENTAL:\n(  .*\n)+\n", "", _ours(expected))
    for theirs, ours in _OTHER_WORDS.items():
        expected = expected.replace(theirs, ours)
    assert shown + "\n" == expected


def test_root_help_lists_each_command_once(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = re.findall(r"^  ([a-z]+) +[A-Z]", capfd.readouterr().out, re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert {"image", "pull", "images", "version", "completion"} <= set(listed)


def test_without_a_command_help_goes_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Usage:  mille [OPTIONS] COMMAND\n")


def test_a_group_alone_explains_itself_on_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["image"]) == 0
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Usage:  mille image COMMAND\n\nManage images\n\nCommands:\n")


@pytest.mark.parametrize(
    "words",
    [
        ["help", "image", "rm"],
        ["image", "rm", "--help"],
        ["image", "--help", "rm"],
        ["--help", "image", "rm"],
    ],
)
def test_help_can_be_asked_for_anywhere(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert capfd.readouterr().out.startswith("Usage:  mille image rm [OPTIONS] IMAGE [IMAGE...]\n")


def test_the_short_help_flag_is_deprecated(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["version", "-h"]) == 0
    assert capfd.readouterr().out.startswith("Flag shorthand -h has been deprecated, use --help\nUsage:")


def test_two_groups_name_what_follows() -> None:
    groups = ("image", "manifest", "volume")
    lines = {group: usage.unknown_command(f"mille {group}", "x").splitlines()[2] for group in groups}
    assert lines == {
        "image": "Usage:  mille image",
        "manifest": "Usage:  mille manifest COMMAND",
        "volume": "Usage:  mille volume COMMAND",
    }
