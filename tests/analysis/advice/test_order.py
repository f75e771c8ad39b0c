"""Sources, and arguments, that are better behind what does not read them."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import step, waste

from millefeuille.analysis.advice.arguments import arguments
from millefeuille.analysis.advice.order import order
from millefeuille.testing.rawtars import file

SOURCES = step("COPY src /src", file(b"src/a", b"a"), file(b"src/b", b"b"))


@pytest.mark.parametrize(("entry", "found"), [
    (file(b"installed", b"123"), [3]), (file(b".wh.old"), []), (file(b"empty"), []),
])  # fmt: skip
def test_an_order_is_worth_what_is_made_again(entry: bytes, found: list[int]) -> None:
    made = waste(("FROM a", ()), SOURCES, step("RUN rm -f /old", entry))
    assert [advice.rebuilt for advice in order(made)] == found
    made = waste(("FROM a", ()), ("ARG COMMIT", ()), step("RUN make", entry))
    assert [advice.rebuilt for advice in arguments(made)] == found
