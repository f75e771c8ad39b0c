"""The commands of a RUN, told apart and put together."""

from __future__ import annotations

import pytest

from millefeuille.analysis.advice.shell import commands, commented, enclosed, joinable, lists


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


def test_what_is_run_whatever_became_of_the_rest() -> None:
    assert lists("a && b; c\n\nd && e &&\n f;") == (("a", "b"), ("c",), ("d", "e", "f"))
    assert lists("a &\nb") == (("a &",), ("b",))
    assert lists("a || b") is None


@pytest.mark.parametrize("text", [
    "cd x && make", "a; b", "c || d", "a\nb", "pushd /opt && make", "ulimit -f 1 && a", "read X < f",
    "f() { a; }", "alias a=b && c", "declare -i X", "readonly X=1", "a && eval b", "umask 7", "trap a EXIT",
    "printf -v X a", ": ${X:=1} && a", ": ${X=1}", "echo $((X=1))", 'A="b c" && d', "A=$(b c) && d",
    "A=b && c", "A+=b", "a && ! cd b", "command cd b", ". ./f",
    "while-x & export Y",
])  # fmt: skip
def test_what_bears_on_others_is_in_a_shell_of_its_own(text: str) -> None:
    assert enclosed(text) == f"({text})"


@pytest.mark.parametrize("text", [
    "make && rm -r x", "A=b make", 'A="b c" make && d', "make -C cd/x", "a \\\n && b", "apt-get install -y a",
    "echo ${X:-1} $(date)", "(\ncd b # why\n)", "(cd a && b '(' \\); c)",
])  # fmt: skip
def test_what_bears_on_nothing_stands_as_it_is(text: str) -> None:
    assert enclosed(text) == text


@pytest.mark.parametrize("text", ["(cd a && b) && cd c", "(a); (b)", "((a); b)", "(a $(b); c)", "(( X++ ))"])
def test_no_two_brackets_begin_arithmetic(text: str) -> None:
    assert enclosed(text) == f"( {text} )"


def test_what_nothing_can_be_put_behind() -> None:
    assert joinable("a && b")
    assert joinable("cat <<< $x")  # no here-document
    assert not joinable("cat <<EOF")
    assert commented("a # why")
    assert not commented("a#b")
