"""Two stages of one name."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule
from millefeuille.oci.gotext import quoted


def _look(facts: Facts) -> Iterable[Found]:
    seen: set[str] = set()
    for stage in facts.dockerfile.stages:
        if stage.name is not None and stage.name in seen:
            message = f"Duplicate stage name {quoted(stage.name)}, stage names should be unique"
            yield Found(message, stage.from_.location)
        seen.add(stage.name or "")


RULE = Rule(
    name="DuplicateStageName",
    page="duplicate-stage-name",
    description="Stage names should be unique",
    look=_look,
)
