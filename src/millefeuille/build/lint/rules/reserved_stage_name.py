"""A stage named as something else is."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule
from millefeuille.oci.gotext import quoted

_RESERVED = ("context", "scratch")


def _look(facts: Facts) -> Iterable[Found]:
    for stage in facts.dockerfile.stages:
        if stage.name in _RESERVED:
            message = f"Stage name should not use the same name as reserved stage {quoted(stage.name or '')}"
            yield Found(message, stage.from_.location)


RULE = Rule(
    name="ReservedStageName",
    page="reserved-stage-name",
    description="Reserved words should not be used as stage names",
    look=_look,
)
