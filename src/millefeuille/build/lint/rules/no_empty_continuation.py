"""An empty line within an instruction."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.dockerfile.instructions import Location
from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule


def _look(facts: Facts) -> Iterable[Found]:
    for gap in facts.dockerfile.gaps:
        # BuildKit notices it where the instruction ends.
        yield Found("Empty continuation line", Location(gap.last, gap.last), gap)


RULE = Rule(
    name="NoEmptyContinuation",
    page="no-empty-continuation",
    description="Empty continuation lines will become errors in a future release",
    look=_look,
)
