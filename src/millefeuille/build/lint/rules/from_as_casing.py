"""FROM and AS in different cases."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule


def _look(facts: Facts) -> Iterable[Found]:
    for stage in facts.dockerfile.stages:
        one = stage.from_
        word, as_ = one.keyword, one.as_keyword
        same = as_ == as_.lower() if word == word.lower() else as_ == as_.upper()
        # A FROM in mixed case has a warning of its own.
        if not same and word in (word.lower(), word.upper()):
            yield Found(f"'{as_}' and '{word}' keywords' casing do not match", one.location)


RULE = Rule(
    name="FromAsCasing",
    page="from-as-casing",
    description="The 'as' keyword should match the case of the 'from' keyword",
    look=_look,
)
