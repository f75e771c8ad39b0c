"""ENV and LABEL without an equals sign."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.dockerfile.instructions import Env, Label
from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule


def _look(facts: Facts) -> Iterable[Found]:
    for stage in facts.dockerfile.stages:
        for one in stage.instructions:
            if isinstance(one, Env | Label) and one.legacy:
                word = one.keyword
                message = f'"{word} key=value" should be used instead of legacy "{word} key value" format'
                yield Found(message, one.location)


RULE = Rule(
    name="LegacyKeyValueFormat",
    page="legacy-key-value-format",
    description="Legacy key/value format with whitespace separator should not be used",
    look=_look,
)
