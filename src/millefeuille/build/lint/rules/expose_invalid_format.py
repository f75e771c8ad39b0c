"""EXPOSE with what belongs to the command that runs a container."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule
from millefeuille.build.lint.rules.exposed_words import exposed_words


def _look(facts: Facts) -> Iterable[Found]:
    for word, _, one in exposed_words(facts):
        if ":" in word:
            message = (
                f"EXPOSE instruction should not define an IP address or host-port mapping, found '{word}'"
            )
            yield Found(message, one.location)


RULE = Rule(
    name="ExposeInvalidFormat",
    page="expose-invalid-format",
    description=(
        "IP address and host-port mapping should not be used in EXPOSE instruction. This "
        "will become an error in a future release"
    ),
    look=_look,
)
