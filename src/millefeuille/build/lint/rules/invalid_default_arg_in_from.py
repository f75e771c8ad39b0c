"""FROM that only works with a build argument."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule
from millefeuille.oci.reference import InvalidReference, Reference


def _look(facts: Facts) -> Iterable[Found]:
    for stage in facts.dockerfile.stages:
        one = stage.from_
        if facts.plain is None or "$" not in one.image:
            continue
        try:
            Reference.parse(facts.plain.expand(one.image))
        except InvalidReference:
            message = f"Default value for ARG {one.image} results in empty or invalid base image name"
            yield Found(message, one.location)
        except Complaint:
            continue


RULE = Rule(
    name="InvalidDefaultArgInFrom",
    page="invalid-default-arg-in-from",
    description="Default value for global ARG results in an empty or invalid base image name",
    look=_look,
)
