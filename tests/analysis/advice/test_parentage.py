"""Which stage stands on which."""

from __future__ import annotations

from tests.analysis.advice.made import step, waste

from millefeuille.analysis.advice.parentage import siblings
from millefeuille.testing.rawtars import file

OUT = file(b"o", b"o")


def test_the_steps_that_see_another() -> None:
    made = waste(
        ("ARG A", ()), ("FROM a AS first", ()), ("RUN apart", ()),
        ("FROM a AS base", ()), step("RUN make", OUT),
        ("FROM --platform=$B BASE as Builder", ()), ("RUN see", ()),
        ("FROM first", ()), ("RUN apart", ()),
        ("FROM builder", ()), ("RUN see", ()),
        ("FROM $A", ()), ("RUN see perhaps", ()),
        ("FROM base", ()), step("RUN own", OUT), ("CMD x", ()),
    )  # fmt: skip
    texts = [made.script[n].body for n in siblings(made, 4) if made.script[n].word == "RUN"]
    assert texts == ["see", "see", "see perhaps"]
    assert [made.script[n].word for n in siblings(made, 14)] == []
