"""COPYs of what another COPY brings."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import Made, step, waste

from millefeuille.analysis.advice.duplicates import duplicates
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
