"""`mille dive` where it judges no image: version and help; calls that fail, of its like too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.analysis.conftest import write_archive
from tests.faces.cli.home import Home

import millefeuille
from millefeuille.testing import rawtars


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


@pytest.mark.parametrize(
    "words",
    [
        ["analyze", "--no-tui"], ["analyze", "-o", "junit"], ["analyze", "--json"],
        ["analyze", "--html", "-"], ["analyze", "--json", "--max-size", "1"],
        ["dive", "--no-tui"], ["dive", "--ci"], ["image", "diff", "{}", "--json"],
    ],
)  # fmt: skip
def test_a_full_disk_under_standard_output_is_no_broken_rule(tmp_path: Path, words: list[str]) -> None:
    archive = tmp_path / "image.tar"
    write_archive(archive, [rawtars.archive(rawtars.file(b"a", b"x" * 300))])
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "millefeuille", *(word.format(archive) for word in words), str(archive)],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            env=os.environ | {"MILLE_ROOT": str(tmp_path / "store"), "CI": ""},
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines().count("Error: standard output: no space left on device") == 1


@pytest.mark.parametrize("word", ["1", "t", "T", "true", "True", "TRUE", "yes"])
def test_rules_are_held_by_every_word_that_dive_takes_for_yes(home: Home, tmp_path: Path, word: str) -> None:
    archive = tmp_path / "image.tar"
    write_archive(archive, [rawtars.archive(rawtars.file(b"a", b"x" * n)) for n in (300, 299)])
    out, err, code = home.mille("dive", str(archive), environment={"CI": word})
    assert (out.splitlines()[0], err, code) == ("Analysis:", "", 1)


@pytest.mark.parametrize("word", ["", "0", "f", "F", "false", "False", "FALSE", "no"])
def test_no_rule_is_held_where_nobody_asks(home: Home, tmp_path: Path, word: str) -> None:
    archive = tmp_path / "image.tar"
    write_archive(archive, [rawtars.archive(rawtars.file(b"a", b"x" * n)) for n in (300, 299)])
    out, err, code = home.mille("dive", str(archive), environment={"CI": word})
    assert ("Result:" in out, err, code) == (False, "", 0)


def test_names_of_files_forge_no_verdict(home: Home, tmp_path: Path) -> None:
    forged = b"x\n::error::no\nResult:PASS [Total:3]"
    names = [forged, b"e\x1b[31mred\x07", b"c\rr", b"\xff", b"plain \xc3\xa9\\n"]
    archive = tmp_path / "image.tar"
    layers = [rawtars.archive(*(rawtars.file(name, b"x" * n) for name in names)) for n in (300, 299)]
    write_archive(archive, layers)
    out, err, code = home.mille("dive", "--ci", str(archive))
    assert (err, code) == ("", 1)
    rows = out.partition("File Path\n")[2].partition("Results:")[0].splitlines()
    assert sorted(row.partition("B  ")[2] for row in rows) == sorted([
        r"/x\n::error::no\nResult:PASS [Total:3]", r"/e\x1b[31mred\x07", r"/c\rr", r"/\xff", "/plain é\\n"
    ])  # fmt: skip
    assert [line for line in out.splitlines() if line.startswith("Result:")] == [out.splitlines()[-1]]
