"""RUNs that do the same behind what stood behind them."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import Made, step, waste

from millefeuille.analysis.advice.passing import passes_files, passes_names
from millefeuille.analysis.advice.step import read_step
from millefeuille.testing.rawtars import directory, file, symlink

BASE = step("RUN base", *map(directory, (b"app", b"etc", b"usr")), directory(b"srv", mode=0o700))
COPY = step("COPY a /app/", directory(b"app"), file(b"app/a", b"a"))
BIG = file(b"big", b"b")


def passes(run: Made, copy: Made = COPY, place: str = "/") -> bool:
    made = waste(("FROM scratch", ()), BASE, (f"WORKDIR {place}", ()), run, copy)
    return passes_files(made, 3, 4)


@pytest.mark.parametrize("text", [
    "yes | head -c 5 > /big", "apk add --no-cache $DEPS", "make -C /src", "curl -o /big https://a.example/b",
    "mkdir -p /x && cd /x && make",
])  # fmt: skip
def test_what_has_nothing_to_do_with_a_copy(text: str) -> None:
    assert passes(step(f"RUN {text}", BIG))


@pytest.mark.parametrize("text", [
    "find -name a > /big", "ls > big", "chmod -R 700 /app && touch /big", "echo /app/* > /big",
    "make -C /app", "cd /app && make", "for f in /*/a; do echo $f > /big; done", "a > /big",
])  # fmt: skip
def test_what_may_look_at_it(text: str) -> None:
    assert not passes(step(f"RUN {text}", BIG))


def test_programs_that_are_run_where_it_is_copied_to() -> None:
    assert not passes(step("RUN make", BIG), place="/app")
    assert passes(step("RUN npm install -g x", BIG), place="/app")
    assert passes(step("RUN touch x", BIG), place="/app")
    assert not passes(step("RUN touch a", BIG), place="/app")


@pytest.mark.parametrize(("entries", "found"), [
    ((directory(b"app", mode=0o700),), False),
    ((symlink(b"x", b"/app"),), False),
    ((file(b".wh.app"),), False),
    ((file(b"app/a", b"other"),), False),
    ((directory(b"app"), file(b"app/b", b"b")), True),  # touched by a tool that says what it does
])  # fmt: skip
def test_what_the_run_wrote(entries: tuple[bytes, ...], found: bool) -> None:
    assert passes(("RUN echo $(true) > b", entries), place="/other") is False
    assert passes(("RUN echo b > b", entries), place="/other") is found
    assert passes(("RUN make", entries), place="/other") is False


@pytest.mark.parametrize("path", [b"etc/ld.so.conf", b"usr/lib/x.so", b"root/.profile", b"home/me/.npmrc"])
def test_files_that_any_program_may_read(path: bytes) -> None:
    copy = step("COPY x /x", file(path, b"x"))
    assert not passes(step("RUN ldconfig", BIG), copy)
    assert passes(step("RUN touch /big", BIG), copy)


def test_names_of_users_are_files() -> None:
    assert not passes(step("RUN chown me /big", BIG), step("COPY x /etc/passwd", file(b"etc/passwd", b"x")))


def test_a_directory_that_a_workdir_makes() -> None:
    workdir = step("WORKDIR /srv/app", directory(b"srv/app"))
    assert not passes(step("RUN chmod 700 /srv", directory(b"srv", mode=0o700)), workdir)
    assert passes(step("RUN touch /big", BIG), workdir)
    assert passes(step("RUN make", BIG), ("WORKDIR /srv", ()))
    assert not passes(step("RUN make", BIG), ("COPY x /x", ()))  # of which nothing is known


@pytest.mark.parametrize(("run", "setting", "found"), [
    ("RUN rm /x", "ENV A=1 B=2", True),
    ("RUN echo $B > /x", "ENV A=1 B=2", False),
    ("RUN echo ${A} > /x", "ENV A 1", False),
    ("RUN echo $AB > /x", "ARG A", True),
    ("RUN head -c 5 > /y$A", "ARG A=2", False),
    ("RUN rm /x", "ENV PATH=/opt/bin:$PATH", False),
    ("RUN rm /x", "ENV HOME=/h", False),
    ("RUN rm /x", "ENV LC_ALL=C", False),
    ("RUN make", "ENV A=1", False),  # which may read it
    ("RUN env > /x", "ENV A=1", False),
    ("RUN set > /x", "ENV A=1", False),
    ("RUN set -e; rm /x", "ENV A=1", True),
    ("RUN cat /proc/self/environ > /x", "ENV A=1", False),
    ("RUN --mount=type=cache,target=/$A rm /x", "ARG A=1", False),
    ('RUN ["rm", "/x"]', "ARG A=1", True),
    ("RUN rm /x", "ENV 'A", False),
])  # fmt: skip
def test_variables(run: str, setting: str, found: bool) -> None:
    assert passes_names(read_step(run), read_step(setting)) is found
