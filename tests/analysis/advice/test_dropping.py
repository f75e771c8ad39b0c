"""A RUN without some of its commands, which fails where it failed."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator

import pytest

from millefeuille.analysis.advice.dropping import fails_with, without


@pytest.mark.parametrize(("text", "dropped", "found"), [
    ("a && chown b c && d", ("chown b c",), "a && d"),
    ("chown b c", ("chown b c",), ""),
    ("a; b && x; c && d", ("x",), "a; b && true; c && d"),
    ("a; x && b; y", ("x", "y"), "a; b; true"),
    ("x; a && b", ("x",), "a && b"),
    ("a\nb\nx", ("x",), "a; b; true"),
    ("set -ex; a; x", ("x",), "set -ex; a"),
    ("set -e; a && b; x", ("x",), "set -e; a && b; true"),
    ("set -e; a && x; b", ("x",), "set -e; a && true; b"),
    ("set -e; b; a && x", ("x",), "set -e; b; a"),
    ("a && x; y", ("x", "y"), "a && true; true"),
    ("a &\nx; b", ("x",), "a & b"),
    ("a &\nx", ("x",), "a &"),
    ("x; true", ("x",), ""),
])  # fmt: skip
def test_what_is_left(text: str, dropped: tuple[str, ...], found: str) -> None:
    assert without(text, dropped) == found


@pytest.mark.parametrize(("text", "dropped", "instead", "found"), [
    ("a; x; b", ("x",), "z", "a; z; b"),
    ("a && chown -R b c && d", ("chown -R b c",), "chown b c", "a && chown b c && d"),
    ("chown -R b c && chmod 1 c", ("chown -R b c", "chmod 1 c"), "x", "x"),
    ("set -e; x; y; b", ("x", "y"), "v && w", "set -e; v; w; b"),
    ("set -e; a && x; b", ("x",), "v && w", "set -e; a && (v && w); b"),
    ("set -e; a; x", ("x",), "v && w", "set -e; a; v && w"),
    ("a; x; y", ("x", "y"), "z", "a; z"),
    ("a && x; y", ("x", "y"), "z", "a && z; true"),
])  # fmt: skip
def test_another_command_instead(text: str, dropped: tuple[str, ...], instead: str, found: str) -> None:
    assert without(text, dropped, instead) == found


def _texts() -> Iterator[str]:
    """Some commands in each order, with && and ; between."""
    rows = [" && ".join(row) for count in (1, 2) for row in itertools.product("abx", repeat=count)]
    for head in ("", "set -e; "):
        for count in (1, 2, 3):
            for each in itertools.product(rows if count < 3 else rows[:3], repeat=count):
                yield head + "; ".join(each)


def test_it_fails_where_it_failed_and_goes_on_where_it_went_on() -> None:
    """With a shell: whichever of two commands fail, the same ones are run, and the end is the same."""
    cases = [
        (a, b, strict, text) for a, b in itertools.product("01", repeat=2) for strict in ("", "-e")
        for text in _texts()
    ]  # fmt: skip
    lines = ["x() { :; }"]
    for a, b, strict, text in cases:
        lines.append(f"a() {{ printf a; return {a}; }}; b() {{ printf b; return {b}; }}")
        for each in (text, without(text, ("x",)) or ":"):
            lines.append(f"(set +e {strict}; {each}); printf ' %s\\n' $?")
    done = subprocess.run(["sh"], input="\n".join(lines), capture_output=True, text=True, check=True)
    told = iter(done.stdout.splitlines())
    assert [(case, before, after) for case, before, after in zip(cases, told, told, strict=True)
            if before != after] == []  # fmt: skip


@pytest.mark.parametrize(("text", "count", "errexit", "found"), [
    ("a && b && c", 2, False, True),
    ("a; b && c", 1, False, False),
    ("a; b && c", 1, True, True),
    ("set -e; a; b && c", 2, False, True),
    ("set -e; a && b; c", 2, False, False),
    ("a; b", 2, False, False),
])  # fmt: skip
def test_what_fails_as_soon_as_one_does(text: str, count: int, errexit: bool, found: bool) -> None:
    assert fails_with(text, count, errexit=errexit) is found
