"""A stage name in capitals: names are compared without regard to case."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule


def _look(facts: Facts) -> Iterable[Found]:
    for stage in facts.dockerfile.stages:
        one = stage.from_
        if one.name_as_written != one.name_as_written.lower():
            yield Found(f"Stage name '{one.name_as_written}' should be lowercase", one.location)


RULE = Rule(
    name="StageNameCasing",
    page="stage-name-casing",
    description="Stage names should be lowercase",
    look=_look,
)
