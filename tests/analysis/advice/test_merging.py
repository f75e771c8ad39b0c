"""RUNs that are one RUN better."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import Made, step, waste

from millefeuille.analysis.advice.merging import merging
from millefeuille.analysis.advice.rewrite import rewrite
from millefeuille.testing.rawtars import directory, file, symlink

BIG = file(b"x", b"x")
GONE = file(b".wh.x")


def rewritten(*steps: Made) -> list[str]:
    """The steps behind the base with the advice followed; none for no advice."""
    made = waste(("FROM a", ()), *steps)
    edits = [edit for advice in merging(made) for edit in advice.edits]
    return rewrite(made.script, edits).text.splitlines()[1:] if edits else []


@pytest.mark.parametrize(("between", "found"), [
    ((), ["RUN make && \\", "    rm /x"]),
    (("WORKDIR /s",), ["RUN make && \\", "    (cd /s && rm /x)", "WORKDIR /s"]),
    (("WORKDIR s",), []),  # in which directory of the base, nobody says
    (("WORKDIR $HOME", "WORKDIR s"), []),
])  # fmt: skip
def test_where_commands_are_run(between: tuple[str, ...], found: list[str]) -> None:
    steps = (step("RUN make", file(b"x", b"x")), *((line, ()) for line in between))
    base = step("RUN base", directory(b"s"))
    made = waste(("FROM a", ()), base, *steps, step("RUN rm /x", file(b".wh.x")))
    edits = [edit for advice in merging(made) for edit in advice.edits]
    assert (rewrite(made.script, edits).text.splitlines()[2:] if edits else []) == found


@pytest.mark.parametrize(("first", "between", "last", "found"), [
    # Where the last one stands, if what is set does not matter to the first; else where that stands.
    ("yes > /x", "ENV V=2", "rm /x; make", ["ENV V=2", "RUN yes > /x && \\", "    (rm /x; make)"]),
    ("make $V", "ENV V=2", "rm /x", ["RUN make $V && \\", "    rm /x", "ENV V=2"]),
    ("make", "ARG V", "rm /x", ["RUN make && \\", "    rm /x", "ARG V"]),
    ("make", "ENV V=2", "rm /x$V", []),
    ("make", "ENV V=2", "rm /x && make", []),
    ("yes > /x", "ENV PATH=/opt:$PATH", "rm /x", []),
])  # fmt: skip
def test_variables_between(first: str, between: str, last: str, found: list[str]) -> None:
    assert rewritten(step(f"RUN {first}", BIG), (between, ()), step(f"RUN {last}", GONE)) == found


def test_a_variable_and_a_directory_between() -> None:
    workdir = step("WORKDIR /s", directory(b"s"))
    found = rewritten(
        ("WORKDIR /", ()), step("RUN make $V", BIG), ("ENV V=1", ()), workdir, step("RUN rm /x", GONE)
    )
    assert found[1:] == ["RUN make $V && \\", "    (mkdir -p /s && cd /s && rm /x)", "ENV V=1", "WORKDIR /s"]


@pytest.mark.parametrize(("first", "entries", "is_found"), [
    ("yes > /x", (), True),
    ("mkdir /app && yes > /x", (directory(b"app"),), False),
    ("yes > /x && chmod -R 700 /app", (), False),
    ("find / -name a > /x", (), False),
    ("ln -s /app /z && yes > /x", (symlink(b"z", b"/app"),), False),
])  # fmt: skip
def test_a_copy_between(first: str, entries: tuple[bytes, ...], is_found: bool) -> None:
    copy = step("COPY a /app/", directory(b"app"), file(b"app/a", b"a"))
    found = rewritten(("WORKDIR /", ()), step(f"RUN {first}", BIG, *entries), copy, step("RUN rm /x", GONE))
    assert bool(found) is is_found


def test_a_directory_below_one_that_the_run_makes() -> None:
    run = step("RUN mkdir -m 700 /s && yes > /x", directory(b"s", mode=0o700), BIG)
    workdir = step("WORKDIR /s/app", directory(b"s"), directory(b"s/app"))
    found = rewritten(("WORKDIR /", ()), run, workdir, step("RUN rm /x", GONE))
    assert found[-1] == "WORKDIR /s/app"  # behind the RUN still


@pytest.mark.parametrize(("text", "is_found"), [
    ("rm /x", True), ("mv /x /app", False), ("rm -r /x /app", False), ("ls / > /l; rm /x", False),
])  # fmt: skip
def test_a_mount_of_another_run(text: str, is_found: bool) -> None:
    made = waste(("FROM a", ()), step("RUN cp /app/a /x", BIG), step(f"RUN {text}", GONE))
    made.mounted[1] = ["/app"]
    assert any(advice.edits for advice in merging(made)) is is_found


TMP = (directory(b"tmp"), file(b"tmp/keep", b"k"))


@pytest.mark.parametrize(("mount", "first", "entries", "last", "is_found"), [
    ("tmpfs,target=/tmp", "yes > /x; echo k > /tmp/keep", TMP, "rm /x", False),
    ("tmpfs,target=/tmp", "make", TMP, "rm /x", False),  # of which no word tells
    ("tmpfs,target=/tmp", "yes > /x", (), "rm /x", True),
    ("tmpfs,target=/tmp", "yes > /tmp/y; mv /tmp/y /x", (), "rm /x", False),
    ("bind,target=/w", "mkdir /w; yes > /x", (directory(b"w"),), "cat /w/a; rm /x", False),
    ("bind,target=w", "yes > /x", (), "cat w/a; rm /x", True),
    ("bind,target=$W", "yes > /x", (), "cat w/a; rm /x", False),
    ("bind,target=/w/a", "mkdir -m 700 /w; yes > /x", (directory(b"w", mode=0o700),), "rm /x", False),
    ("bind,target=/src", "make", (), "rm /x", False),  # in a directory that is another one then
    ("cache,target=/c", "rm -r /c; yes > /x", (file(b".wh.c"),), "rm /x", False),
    ("secret,id=t", "ls /run/secrets > /x", (), "rm /x", False),
    ("secret,id=t", "yes > /x", (), "rm /x", True),
    ("secret,id=t,env=T", "ls /run/secrets > /x", (), "rm /x", True),
    ("ssh", "yes > /x", (), "rm /x", True),
])  # fmt: skip
@pytest.mark.parametrize("is_early", [False, True])
def test_a_mount_that_a_run_has_already(
    mount: str, first: str, entries: tuple[bytes, ...], last: str, *, is_found: bool, is_early: bool
) -> None:
    steps = [step(f"RUN {first}", BIG, *entries), step(f"RUN --mount=type={mount} {last}", GONE)]
    if is_early:
        steps = [step(f"RUN --mount=type={mount} yes > /x", BIG), step(f"RUN {first}; rm /x", GONE, *entries)]
    base = step("RUN mkdir /src", directory(b"src"), directory(b"tmp"), file(b"c/a", b"a"))
    assert bool(rewritten(base, ("WORKDIR /src", ()), *steps)[2:]) is is_found


@pytest.mark.parametrize(("mounts", "between", "is_found"), [
    (("type=cache,target=/c", "type=cache,target=/c"), "ENV A=1", True),
    (("type=cache,target=/c", "type=cache,target=/c"), "WORKDIR /s", True),
    (("type=cache,target=c", "type=cache,target=c"), "WORKDIR /s", False),
    (("type=cache,target=/c/$A", "type=cache,target=/c/$A"), "ENV A=1", False),
    (("type=cache,target=/c", "type=cache,target=/c,id=2"), "ENV A=1", False),
])  # fmt: skip
def test_a_mount_that_two_runs_have(mounts: tuple[str, str], between: str, *, is_found: bool) -> None:
    first, last = (f"RUN --mount={mount}" for mount in mounts)
    found = rewritten(
        step("RUN base", directory(b"s")), ("WORKDIR /", ()), ("ENV A=0", ()),
        step(f"{first} yes > /x", BIG), (between, ()), step(f"{last} rm /x", GONE),
    )  # fmt: skip
    assert bool(found) is is_found


def test_a_working_directory_that_is_a_link() -> None:
    run = step("RUN yes > x && ln -s /usr l", file(b"q/x", b"x"), symlink(b"q/l", b"/usr"))
    last = step("RUN rm /q/x && pwd > p", file(b"q/.wh.x"), file(b"usr/p", b"/usr"))
    assert rewritten(("WORKDIR /q", ()), run, ("WORKDIR l", ()), last) == []


@pytest.mark.parametrize(("text", "is_found"), [
    ("rm /x", True), ("rm /x && rmdir k", False), ("rm /x && ls > l", False), ("rm -r /x /s/k", False),
])  # fmt: skip
def test_a_directory_that_a_workdir_made_before_the_last(text: str, is_found: bool) -> None:
    run = step("RUN yes > /x && chmod 700 /s", BIG, directory(b"s", mode=0o700))
    first = step("WORKDIR /s/k", directory(b"s", mode=0o700), directory(b"s/k"))
    base = step("RUN mkdir /s", directory(b"s"))
    found = rewritten(("WORKDIR /", ()), base, run, first, ("WORKDIR /s", ()), step(f"RUN {text}", GONE))
    assert bool(found) is is_found


STRICT = ('SHELL ["/bin/bash", "-eo", "pipefail", "-c"]', ())


@pytest.mark.parametrize(("before", "first", "last", "found"), [
    ((), "set -eux; yes > /x; make", "rm /x", ["RUN set -eux; yes > /x; make; \\", "    rm /x"]),
    ((), "a; set -e; yes > /x; make", "rm /x", []),  # of which a list would not mind what fails
    ((STRICT,), "yes > /x; make", "rm /x; make", ["RUN yes > /x; make; \\", "    rm /x; make"]),
    ((STRICT,), "yes > /x", "rm /x", ["RUN yes > /x && \\", "    rm /x"]),
    ((('SHELL ["python3", "-c"]', ()),), "yes > /x", "rm /x", []),
])  # fmt: skip
def test_a_shell_that_ends_with_the_first_failure(
    before: tuple[Made, ...], first: str, last: str, found: list[str]
) -> None:
    assert rewritten(*before, step(f"RUN {first}", BIG), step(f"RUN {last}", GONE))[len(before) :] == found


def test_a_shell_of_a_base_that_is_set_anew_later() -> None:
    first, last = step("RUN yes > /x; make", BIG), step("RUN rm /x", GONE)
    assert rewritten(first, last)
    assert rewritten(first, last, STRICT) == []
