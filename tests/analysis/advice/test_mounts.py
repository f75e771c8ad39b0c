"""What is mounted in place of a COPY, when a later RUN removes all of it."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import Made, step, waste

from millefeuille.analysis.advice.mounts import mounts
from millefeuille.analysis.advice.rewrite import rewrite
from millefeuille.testing.rawtars import directory, file

BASE = step("RUN base", directory(b"bin"), directory(b"tmp"))
TAR = file(b"u/v/a.tar", b"x")
DIRECTORIES = (directory(b"u"), directory(b"u/v"))
GONE = file(b"u/v/.wh.a.tar")
MOUNT = "--mount=type=bind,source=a.tar,target=/u/v/a.tar,rw"


def rewritten(*steps: Made) -> list[str]:
    """The steps behind the base with the advice on mounts followed; none for no advice."""
    made = waste(("FROM a", ()), BASE, *steps)
    edits = [edit for advice in mounts(made) for edit in advice.edits]
    return rewrite(made.script, edits).text.splitlines()[2:] if edits else []


def test_what_a_run_may_write_into() -> None:
    copy = step("COPY src /s", directory(b"s"), file(b"s/a", b"x"), file(b"s/b", b"y"))
    run = step("RUN gzip /s/a && cp /s/a.gz /o && rm -rf /s", file(b".wh.s"), file(b"o", b"z"))
    mount = "--mount=type=bind,source=src,target=/s,rw"
    assert rewritten(copy, run) == [f"RUN {mount} gzip /s/a && cp /s/a.gz /o"]


def test_what_a_mount_does_not_bear() -> None:
    copy = step("COPY a /tmp/a", directory(b"tmp"), file(b"tmp/a", b"x"))
    run = step("RUN ln /tmp/a /o && rm -rf /tmp/a", file(b"tmp/.wh.a"), file(b"o", b"x"))
    assert rewritten(copy, run) == []


def test_directories_that_the_copy_makes_are_made_still() -> None:
    copy = step("COPY a.tar /u/v/", *DIRECTORIES, TAR)
    run = step("RUN tar -xf /u/v/a.tar && rm /u/v/a.tar", *DIRECTORIES, GONE)
    wanted = f"RUN {MOUNT} tar -xf /u/v/a.tar"
    assert rewritten(copy, run) == ["RUN mkdir -p /u/v", wanted]
    assert rewritten(step("RUN mkdir -p /u/v", *DIRECTORIES), copy, run) == ["RUN mkdir -p /u/v", wanted]


@pytest.mark.parametrize("before", [
    (("USER dev", ()),),
    (),
])  # fmt: skip
def test_directories_that_others_than_root_make(before: tuple[Made, ...]) -> None:
    made = (directory(b"u", uid=5), directory(b"u/v", uid=5))
    copy = step("COPY a.tar /u/v/", *made, TAR)
    run = step("RUN tar -xf /u/v/a.tar && rm /u/v/a.tar", *made, GONE)
    assert rewritten(*before, copy, run) == []


def test_what_a_mount_is_in_cannot_be_removed() -> None:
    copy = step("COPY a.tar /u/v/", *DIRECTORIES, TAR)
    run = step("RUN tar -xf /u/v/a.tar && rm /u/v/a.tar && rmdir /u/v", directory(b"u"), file(b"u/.wh.v"))
    assert rewritten(copy, run) == []


@pytest.mark.parametrize(("copy", "flag"), [
    ("COPY --chmod=755 a /tmp/a", ""),
    ("COPY --chown=5:6 a /tmp/a", ""),
    ("COPY --exclude=b a /tmp/a", ""),
    ("COPY --link a /tmp/a", "--mount=type=bind,source=a,target=/tmp/a,rw "),
    ("ADD --chown=5:6 a.gz /tmp/a", "--mount=type=bind,from=added2,source=/a,target=/tmp/a,rw "),
    ("ADD --chown=app a.gz /tmp/a", ""),
])  # fmt: skip
def test_owners_and_modes_that_a_mount_does_not_have(copy: str, flag: str) -> None:
    run = step("RUN /tmp/a > /o && rm /tmp/a", file(b"tmp/.wh.a"), file(b"o", b"x"))
    found = rewritten(step(copy, directory(b"tmp"), file(b"tmp/a", b"x")), run)
    assert found[-1:] == ([f"RUN {flag}/tmp/a > /o"] if flag else [])


SRC = step("COPY src /s", directory(b"s"), file(b"s/a", b"x"))
BOUND = "--mount=type=bind,source=src,target=/s,rw"


@pytest.mark.parametrize("between", [
    (step("COPY b /s/", directory(b"s"), file(b"s/b", b"y")),),
    (step("WORKDIR /s/build", directory(b"s"), directory(b"s/build")),),
    (("WORKDIR $HOME", ()),),
])  # fmt: skip
def test_what_others_bring_to_the_same_place(between: tuple[Made, ...]) -> None:
    assert rewritten(SRC, *between, step("RUN cp /s/a /o && rm -rf /s", file(b".wh.s"))) == []


@pytest.mark.parametrize("entries", [
    (directory(b"s"), file(b"s/.wh.a"), file(b"s/new", b"n")),
    (directory(b"s"), file(b"s/.wh.a")),
])  # fmt: skip
def test_what_is_at_the_place_in_the_end(entries: tuple[bytes, ...]) -> None:
    assert rewritten(SRC, step("RUN cp /s/a /o && rm -rf /s && mkdir /s && sh x", *entries)) == []


def test_runs_that_leave_something_for_the_next_are_one() -> None:
    first = step("RUN mkdir /s/build", directory(b"s"), directory(b"s/build"))
    last = step("RUN test -d /s/build && rm -rf /s", file(b".wh.s"))
    assert rewritten(SRC, first, last) == [f"RUN {BOUND} mkdir /s/build && \\", "    test -d /s/build"]
    assert rewritten(SRC, ("RUN true", ()), last) == [f"RUN {BOUND} true", f"RUN {BOUND} test -d /s/build"]


def test_a_directory_that_a_workdir_makes_then_is_removed_still() -> None:
    inside, out = (("WORKDIR /s", ()), ("RUN cat a > /o", ())), ("WORKDIR /", ())
    removing = step("RUN rm -rf /s", file(b".wh.s"))
    wanted = ["WORKDIR /s", f"RUN {BOUND} cat a > /o", "WORKDIR /", "RUN rm -rf /s"]
    assert rewritten(SRC, *inside, out, removing) == wanted
    assert rewritten(SRC, *inside, out, step("RUN cat /s/a && rm -rf /s", file(b".wh.s"))) == []
    assert rewritten(SRC, inside[0], removing) == []


@pytest.mark.parametrize(("text", "is_found"), [
    ("cp /tmp/a /o && rm /tmp/a", True),
    ("rm /tmp/a && ls /bin > /o", True),
    ("rm /tmp/a && ls /tmp > /o", False),
    ("rm /tmp/a; echo /t*/* > /o", False),
    ("cd /tmp && rm /tmp/a && make", False),
])  # fmt: skip
def test_what_looks_at_the_place_behind_the_removal(text: str, is_found: bool) -> None:
    copy = step("COPY a /tmp/a", directory(b"tmp"), file(b"tmp/a", b"x"))
    run = step(f"RUN {text}", file(b"tmp/.wh.a"), file(b"o", b"z"))
    assert bool(rewritten(("WORKDIR /", ()), copy, run)) is is_found


def test_runs_that_are_one_go_where_each_was_run() -> None:
    copy = step("COPY src /s", directory(b"s"), file(b"s/a", b"x"))
    first = step("RUN cp /s/a /s/b", directory(b"s"), file(b"s/b", b"x"))
    last = step("RUN cp /s/b o && rm -rf /s", directory(b"bin"), file(b"bin/o", b"x"), file(b".wh.s"))
    mount = "--mount=type=bind,source=src,target=/s,rw"
    assert rewritten(("WORKDIR /tmp", ()), copy, first, ("WORKDIR /bin", ()), last) == [
        "WORKDIR /tmp", "WORKDIR /bin", f"RUN {mount} (cd /tmp && cp /s/a /s/b) && \\", "    cp /s/b o",
    ]  # fmt: skip
