"""COPYs of what another COPY brings."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import Made, step, waste

from millefeuille.analysis.advice.duplicates import duplicates
from millefeuille.analysis.advice.edits import AddFlag
from millefeuille.testing.rawtars import directory, file

MADE = directory(b"x", mode=0o700)
A = file(b"x/a", b"a")


@pytest.mark.parametrize(("first", "between", "second", "is_found"), [
    (("COPY d /x", MADE), (), "COPY d /x", True),
    (("COPY d /x", MADE), (), "COPY --chown=5 d /x", False),
    (("COPY d /x", MADE), (), "COPY e /x", False),
    (("COPY d /x", MADE), (("WORKDIR /x", ()),), "COPY d /x", False),
    (("COPY d /x", b""), (("WORKDIR /x", ()),), "COPY e /x", True),
])  # fmt: skip
def test_the_directories_of_what_is_left_out(
    first: tuple[str, bytes], between: tuple[Made, ...], second: str, is_found: bool
) -> None:
    base = () if first[1] else (step("RUN mkdir /x", MADE),)
    made = waste(("FROM a", ()), *base, step(first[0], first[1] + A), *between, step(second, A))
    (advice,) = duplicates(made)
    assert bool(advice.edits) is is_found


@pytest.mark.parametrize(("second", "path", "flags"), [
    ("COPY . .", b"app/app/main.py", ["--exclude=app/main.py"]),
    ("COPY ./ /app/", b"app/main.py", ["--exclude=main.py"]),
    ("COPY . /", b"app/main.py", ["--exclude=app/main.py"]),
    ("COPY . ..", b"main.py", ["--exclude=main.py"]),
    ("COPY . $WHERE", b"app/main.py", []),
    ("COPY . link", b"other/main.py", []),
    ("COPY . .", b"app/a b", []),
    ("COPY . .", b"app/[a]", []),
    ("COPY src .", b"app/main.py", []),
])  # fmt: skip
def test_what_is_left_out_counts_from_the_context(second: str, path: bytes, flags: list[str]) -> None:
    first, more = step("COPY x y", file(path, b"a")), file(path + b".more", b"b")
    other = step("RUN ls", file(b"list", b"x"))
    made = waste(("FROM a", ()), ("WORKDIR /app", ()), first, other, step(second, file(path, b"a"), more))
    (advice,) = duplicates(made)
    assert [edit.flag for edit in advice.edits if isinstance(edit, AddFlag)] == flags


@pytest.mark.parametrize(("fields", "is_found"), [({}, True), ({"uid": 5}, False), ({"mode": 0o700}, False)])
def test_a_file_stays_as_the_later_copy_brings_it(fields: dict[str, int], is_found: bool) -> None:
    first = step("COPY --chown=5 a /app/", file(b"app/a", b"a", **fields))
    second = step("COPY . /app/", file(b"app/a", b"a"), file(b"app/b", b"b"))
    made = waste(("FROM a", ()), ("WORKDIR /", ()), first, step("RUN ls", file(b"l", b"l")), second)
    (advice,) = duplicates(made)
    assert bool(advice.edits) is is_found


@pytest.mark.parametrize(("owned", "is_found"), [([1, 3], True), ([3], False), ([1], False), ([], True)])
def test_a_file_stays_as_other_advice_has_a_copy_bring_it(owned: list[int], is_found: bool) -> None:
    first, other = step("COPY a /app/", file(b"app/a", b"a")), step("RUN ls", file(b"l", b"l"))
    second = step("COPY . /app/", file(b"app/a", b"a"), file(b"app/b", b"b"))
    made = waste(("FROM a", ()), first, other, second)
    made.flags.update({number: ["--chown=5:6"] for number in owned})
    (advice,) = duplicates(made)
    assert bool(advice.edits) is is_found
