"""A variable that neither ARG nor ENV nor the base image sets."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.dockerfile.suggestion import nearest
from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule


def _look(facts: Facts) -> Iterable[Found]:
    for stage in facts.stages:
        # What a base image sets that nobody has looked at cannot be undefined.
        for step in stage.steps if stage.known else ():
            for name in step.unset:
                meant = nearest(name, step.scope.variables)
                wish = f" (did you mean ${meant}?)" if meant else ""
                yield Found(f"Usage of undefined variable '${name}'{wish}", step.written.location)


RULE = Rule(
    name="UndefinedVar",
    page="undefined-var",
    description="Variables should be defined before their use",
    look=_look,
)
