"""What a COPY is not to bring, as the next RUN removes it."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import Made, step, waste

from millefeuille.analysis.advice.excluded import excluded
from millefeuille.testing.rawtars import file


@pytest.mark.parametrize(("between", "is_found"), [
    ((), True),
    ((step("COPY b /s/b", file(b"s/b", b"b")),), True),
    ((step("COPY a /s/a", file(b"s/a", b"a")),), False),
    ((step("COPY a /s/", file(b"s/a/b", b"a")),), False),
])  # fmt: skip
def test_what_another_copy_brings_is_removed_still(between: tuple[Made, ...], is_found: bool) -> None:
    copy = step("COPY s /s", file(b"s/a", b"a"), file(b"s/c", b"c"), file(b"s/d", b"d"))
    run = step("RUN rm -r /s/a /s/c", file(b"s/.wh.a"), file(b"s/.wh.c"))
    made = waste(("FROM a", ()), copy, *between, run)
    assert any(advice.edits for advice in excluded(made)) is is_found
