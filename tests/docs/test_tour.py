"""The tour, in both languages: every command is run, and prints what the page says.

Digests, ages and sizes count as equal when both are such; `…` on a line of its own stands for any lines,
elsewhere for any text. The width of columns does not count.
"""

from __future__ import annotations

import re
import socket
import subprocess
import time
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, Step, steps

ENGLISH, FRENCH = ROOT / "docs/tour.md", ROOT / "docs/fr/visite.md"

PORT = "8080"  # of the pages
_MASKS = (
    (r" +", " "),
    (r"\b[0-9a-f]{64}\b", "<digest>"),
    (r"\b[0-9a-f]{12}\b", "<id>"),
    (r"\b(Less than an?|About an?|\d+) \w+ ago\b|(?<=Up )(Less than an?|About an?|\d+) \w+", "<age>"),
    (r"\b\d+(\.\d+)?[kMG]?B\b", "<size>"),
    (r"\bsize: \d+", "size: <size>"),
    (r"(?<=<size>) \d+(?= )", " <count>"),
)


def masked(text: str) -> list[str]:
    """The lines of an output without what differs from one machine to the next."""
    for pattern, word in _MASKS:
        text = re.sub(pattern, word, text)
    return [line.rstrip() for line in text.rstrip("\n").split("\n")]


def matches(said: str, printed: str) -> bool:
    """Whether a command printed what a page says."""
    said = said.replace("[y/N] y\n", "[y/N] ")  # what is typed stands on the screen, not in the output
    pattern = ""
    for line in masked(said):
        if line == "…":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += ".*".join(map(re.escape, line.split("…"))) + "\n"
    return re.fullmatch(pattern, "\n".join(masked(printed)) + "\n") is not None


def done_with(
    step: Step, environment: dict[str, str], directory: Path, port: str
) -> subprocess.CompletedProcess[str]:
    """Run a command of a page, with a free port in place of the page's; a site gets time to come up."""
    for _ in range(50):
        done = subprocess.run(
            step.command.replace(PORT, port),
            shell=True,
            cwd=directory,
            env=environment,
            input="y\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode == 0 or "wget" not in step.command:
            break
        time.sleep(0.2)
    return done


@pytest.mark.walk
@pytest.mark.parametrize("page", [ENGLISH, FRENCH], ids=["english", "french"])
def test_every_command_does_what_the_page_says(
    page: Path, surroundings: dict[str, str], tmp_path: Path, can_run: bool
) -> None:
    left_out = []
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    environment = surroundings | {"MILLE_ROOT": str(tmp_path / "store")}
    try:
        for step in steps(page):
            if "root" in step.words and not can_run:
                left_out.append(step.command)
                continue
            done = done_with(step, environment, tmp_path, port)
            assert (done.returncode != 0) == ("fails" in step.words), f"{step.command}: {done.stdout}"
            assert matches(step.output.replace(PORT, port), done.stdout), (
                f"{step.command}\nprinted\n{done.stdout}\ninstead of\n{step.output}"
            )
    finally:
        subprocess.run(
            "mille ps -aq | xargs -r mille rm -f", shell=True, env=environment, capture_output=True
        )
    if left_out:
        pytest.skip(f"not run, for they need root and a runtime: {left_out}")


def test_both_languages_have_the_same_commands() -> None:
    assert steps(ENGLISH) == steps(FRENCH)
    assert len(steps(ENGLISH)) >= 35


def test_a_difference_is_noticed() -> None:
    assert matches("IMAGE ID  SIZE\n1401abd664b5  1.9MB\n", "IMAGE ID SIZE\n0401abd664b5 73B\n")
    assert matches("a 12.5MB 99 b\n", "a 0B 100 b\n")
    assert matches("first\n…\nlast\n", "first\nsecond\nlast\n")
    assert matches("go on? [y/N] y\ndone\n", "go on? [y/N] done\n")
    assert not matches("first\n…\nlast\n", "first\nsecond\n")
    assert not matches("hello\n", "hello there\n")
    assert not matches("", "something\n")
