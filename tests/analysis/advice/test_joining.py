"""The commands of several RUNs as one."""

from __future__ import annotations

import itertools
import subprocess

import pytest

from millefeuille.analysis.advice.joining import exits, joined, prefixed

ROW = "set -eux; a; b"


def row(*texts: str, errexit: bool = False) -> str:
    """The texts as one, on one line."""
    return joined([("", text) for text in texts], errexit=errexit).replace(" \\\n    ", " ")


@pytest.mark.parametrize(("texts", "found"), [
    (("make", "rm -r x"), "make && rm -r x"),
    (("cd x && make", "rm -r y"), "(cd x && make) && rm -r y"),
    (("a; b", "c || d"), "(a; b) && (c || d)"),
    (("(cd x && make)", "(cd y); z"), "(cd x && make) && ( (cd y); z )"),
    (("A=b; echo $A", "serve &"), "(A=b; echo $A) && (serve &)"),
    (("a", "(\ncd b # why\n)"), "a && (\ncd b # why\n)"),
    (("serve & sleep 1; load", "rm x"), ""),
    (("serve & ./wait-for it", "rm x"), ""),
    (("wait; serve & load", "rm x"), ""),
    (("serve & wait $!", "curl 'a?b&c'"), "(serve & wait $!) && curl 'a?b&c'"),
    (("a; test -z b", "rm x & wait"), "(a; test -z b) && (rm x & wait)"),
    (("curl 'a?b&c' 2>&1", "b &>c <&- d\\&"), "curl 'a?b&c' 2>&1 && b &>c <&- d\\&"),
])  # fmt: skip
def test_a_list(texts: tuple[str, ...], found: str) -> None:
    assert row(*texts) == found


@pytest.mark.parametrize(("texts", "found"), [
    ((ROW, "rm x"), f"{ROW}; rm x"),
    ((ROW, "set -eux; c; d"), f"{ROW}; c; d"),
    ((ROW, "set -ex; c; d"), ""),  # which may name what is not set
    (("set -ex; a; b", "set -eux; c", "rm x"), "set -ex; a; b; (set -eux; c); rm x"),
    (("set -o errexit -o pipefail; a; b", "set -eo pipefail; c"), "set -o errexit -o pipefail; a; b; c"),
    ((ROW, "c && d", "rm x"), f"{ROW}; (c && d); rm x"),
    (("set -e; a; b && c", "rm x"), "set -e; (a; b && c); rm x"),
    (("set -e; A=$(b); c", "rm x"), "set -e; (A=$(b); c); rm x"),
    (("set -e; if a; then b; fi", "rm x"), "set -e; (if a; then b; fi); rm x"),
    (("set -e; a; ! b", "rm x"), "set -e; (a; ! b); rm x"),
    ((f"{ROW};", "rm x"), f"{ROW}; rm x"),
    ((ROW, "c; d"), ""),
    ((ROW, "rm $x"), ""),
    (("set -euo pipefail; a; b", "c | d"), ""),
    (("set -f -e; a; b", "rm *"), ""),
    (("a", ROW), "a && (set -eux; a; b)"),  # which is the last
    (("a", ROW, "b"), "set -e; a; (set -eux; a; b); b"),
    (("a", ROW, "b; c"), ""),
    (("a", "(\nset -e\nb\n)", "(\nc\nd\n)"), "set -e; a; (\nb\n); (\nset +e\nc\nd\n)"),
    (("a; set -e; b", "c"), ""),
    (("set -ex && a && b", "c"), "(set -ex && a && b) && c"),
    (("set -ex && a; b", "c"), "set -ex; a; b; c"),
    (("(\nset -e\na # why\nb\n)", "rm x"), "set -e; (\na # why\nb\n); rm x"),
])  # fmt: skip
def test_what_sets_that_a_shell_ends_with_the_first_failure(texts: tuple[str, ...], found: str) -> None:
    assert row(*texts) == found


@pytest.mark.parametrize(("texts", "found"), [
    (("a", "rm x"), "a && rm x"),
    (("a; b", "c; d"), "a; b; c; d"),
    (("a && b; c && d", "e"), "(a && b; c && d); e"),
    (("set -x; a", "e"), "(set -x; a); e"),
    (("(cd a; b)", "c"), "(cd a; b); c"),
    (("(a); (b)", "c"), "( (a); (b) ); c"),
    (("set +e; a", "e"), "(set +e; a); e"),
    (("cd a; b", "c"), "(cd a; b); c"),
])  # fmt: skip
def test_a_shell_that_ends_with_the_first_failure(texts: tuple[str, ...], found: str) -> None:
    assert row(*texts, errexit=True) == found


def test_directories() -> None:
    rows = [("mkdir -p /s && cd /s", ROW), ("", "c"), ("cd /t", "d")]
    assert joined(rows) == "set -eux; (mkdir -p /s; cd /s; a; b); \\\n    c; \\\n    cd /t; d"
    assert joined([("", "a"), ("cd /s", "b; c")]) == "a && \\\n    (cd /s && (b; c))"


def test_another_command_first() -> None:
    assert prefixed("update", "install a") == "update && install a"
    assert prefixed("update", ROW) == "set -eux; update; a; b"
    assert prefixed("update", "a; b") == "update && (a; b)"


def test_shells() -> None:
    assert exits(("/bin/bash", "-eo", "pipefail", "-c"))
    assert exits(("bash", "-o", "errexit", "-c"))
    assert exits(("/bin/sh", "-ec"))
    assert not exits(("/bin/sh", "-c"))


_PARTS = (
    "if test $N = {n}; then false; fi", "test $N != {n}", "{{ echo {n}; false; }} || echo or", "V=1",
    "true & wait",
)  # fmt: skip


@pytest.mark.parametrize("errexit", [False, True])
@pytest.mark.parametrize("between", ["; ", " && "])
@pytest.mark.parametrize("begins", ["", "set -e; ", "set -eux; "])
def test_what_is_joined_fails_where_its_parts_do(begins: str, between: str, errexit: bool) -> None:
    flag = "-ec" if errexit else "-c"
    for parts in itertools.permutations(_PARTS, 2):
        first = begins + between.join(part.format(n=n) for n, part in enumerate((*parts, "true")))
        second = f"{begins}echo second & wait"
        whole = joined([("", first), ("", second)], errexit=errexit)
        for number in range(3) if whole else ():
            env = {"N": str(number), "PATH": "/usr/bin:/bin"}
            apart = [
                subprocess.run(["sh", flag, text], env=env, capture_output=True) for text in (first, second)
            ]  # fmt: skip
            found = subprocess.run(["sh", flag, whole], env=env, capture_output=True)
            told = apart[0].stdout + (b"" if apart[0].returncode else apart[1].stdout)
            assert (found.returncode, found.stdout) == (apart[0].returncode, told), whole
