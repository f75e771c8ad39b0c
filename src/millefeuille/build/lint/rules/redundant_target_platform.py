"""FROM with the platform that it has anyway."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule

_VARIABLE = "TARGETPLATFORM"


def _look(facts: Facts) -> Iterable[Found]:
    for stage in facts.dockerfile.stages:
        one = stage.from_
        try:
            seen = facts.outer.look(one.platform)
        except Complaint:
            continue
        whole = seen.text == facts.outer.variables.get(_VARIABLE)
        if seen.found == {_VARIABLE} and not seen.unset and whole:
            message = (
                f"Setting platform to predefined {one.platform} in FROM is redundant"
                " as this is the default behavior"
            )
            yield Found(message, one.location)


RULE = Rule(
    name="RedundantTargetPlatform",
    page="redundant-target-platform",
    description=(
        "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior"
    ),
    look=_look,
)
