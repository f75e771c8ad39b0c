"""EXPOSE with a protocol in capitals."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule
from millefeuille.build.lint.rules.exposed_words import exposed_words


def _look(facts: Facts) -> Iterable[Found]:
    for word, port, one in exposed_words(facts):
        if port.protocol != port.protocol.lower():
            message = f"Defined protocol '{word}' in EXPOSE instruction should be lowercase"
            yield Found(message, one.location)


RULE = Rule(
    name="ExposeProtoCasing",
    page="expose-proto-casing",
    description="Protocol in EXPOSE instruction should be lowercase",
    look=_look,
)
