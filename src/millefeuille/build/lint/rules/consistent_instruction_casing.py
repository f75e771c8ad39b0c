"""Instructions in a case that most others are not in."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule


def _look(facts: Facts) -> Iterable[Found]:
    instructions = [one for stage in facts.dockerfile.stages for one in (stage.from_, *stage.instructions)]
    lower = sum(one.keyword == one.keyword.lower() for one in instructions)
    upper = sum(one.keyword == one.keyword.upper() for one in instructions)
    right = "lowercase" if lower > upper else "uppercase"
    for one in instructions:
        word = one.keyword
        if word != (word.lower() if lower > upper else word.upper()):
            message = f"Command '{word}' should match the case of the command majority ({right})"
            yield Found(message, one.location)


RULE = Rule(
    name="ConsistentInstructionCasing",
    page="consistent-instruction-casing",
    description="All commands within the Dockerfile should use the same casing (either upper or lower)",
    look=_look,
)
