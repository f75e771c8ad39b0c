"""MAINTAINER, for which there is a label."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.dockerfile.instructions import Maintainer
from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule


def _look(facts: Facts) -> Iterable[Found]:
    for stage in facts.dockerfile.stages:
        for one in stage.instructions:
            if isinstance(one, Maintainer):
                yield Found("Maintainer instruction is deprecated in favor of using label", one.location)


RULE = Rule(
    name="MaintainerDeprecated",
    page="maintainer-deprecated",
    description=("The MAINTAINER instruction is deprecated, use a label instead to define an image author"),
    look=_look,
)
