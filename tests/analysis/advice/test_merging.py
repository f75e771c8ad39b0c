"""RUNs that are one RUN better."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import step, waste

from millefeuille.analysis.advice.merging import merging
from millefeuille.analysis.advice.rewrite import rewrite
from millefeuille.testing.rawtars import directory, file


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
