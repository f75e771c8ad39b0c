"""An empty line within an instruction."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule


def _look(facts: Facts) -> Iterable[Found]:
    return (Found("Empty continuation line", location) for location in facts.dockerfile.gaps)


RULE = Rule(
    name="NoEmptyContinuation",
    page="no-empty-continuation",
    description="Empty continuation lines will become errors in a future release",
    look=_look,
)
