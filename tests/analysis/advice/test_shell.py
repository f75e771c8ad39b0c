"""The commands of a RUN, told apart and put together."""

from __future__ import annotations

import pytest

from millefeuille.analysis.advice.shell import commands, commented, joinable, joined, without


@pytest.mark.parametrize(("text", "found"), [
    ("a b && c", ("a b", "c")),
    ("a; b\nc", ("a", "b", "c")),
    ("echo 'a && b' && rm \"x; y\"", ("echo 'a && b'", 'rm "x; y"')),
    ("a | b > c && d 2>&1", ("a | b > c", "d 2>&1")),
    ("a || b", None),
    ("if a; then b; fi", None),
    ("(cd x && y) && z", None),
    ("cat <<EOF", None),
    ("for f in *; do rm $f; done", None),
])  # fmt: skip
def test_commands(text: str, found: tuple[str, ...] | None) -> None:
    assert commands(text) == found


def test_without() -> None:
    assert without("a && chown b c && d", ("chown b c",)) == "a && d"
    assert without("chown b c", ("chown b c",)) == ""
    assert without("a; b && x; c && d", ("x",)) == "a; b; c && d"
    assert without("a; x && b; y", ("x", "y")) == "a; b"
    assert without("x; a && b", ("x",)) == "a && b"
    assert without("a; x; b", ("x",), "z") == "a; z; b"
    assert without("a\nb\nx", ("x",)) == "a; b"
    assert without("a &\nx; b", ("x",)) == "a & b"


def test_what_leaks_is_joined_in_a_shell_of_its_own() -> None:
    assert joined(["make", "rm -r x"]) == "make && \\\n    rm -r x"
    assert joined(["cd x && make", "rm -r y"]) == "(cd x && make) && \\\n    rm -r y"
    assert joined(["a; b", "c || d"]) == "(a; b) && \\\n    (c || d)"
    assert joined(["A=b; echo $A", "serve &"]) == "(A=b; echo $A) && \\\n    (serve &)"


def test_what_nothing_can_be_put_behind() -> None:
    assert joinable("a && b")
    assert joinable("cat <<< $x")  # no here-document
    assert not joinable("cat <<EOF")
    assert commented("a # why")
    assert not commented("a#b")


def test_what_has_lines_of_its_own_is_in_a_shell_already() -> None:
    assert joined(["a", "(\ncd b # why\n)"]) == "a && \\\n    (\ncd b # why\n)"


def test_another_command_instead() -> None:
    assert without("a && chown -R b c && d", ("chown -R b c",), "chown b c") == "a && chown b c && d"
    assert without("chown -R b c && chmod 1 c", ("chown -R b c", "chmod 1 c"), "x") == "x"
