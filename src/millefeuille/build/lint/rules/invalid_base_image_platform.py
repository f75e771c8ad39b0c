"""A base image of another platform than the one asked for."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.dockerfile.instructions import From
from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule
from millefeuille.oci.gotext import quoted
from millefeuille.oci.platform import InvalidPlatform, Platform


def _look(facts: Facts) -> Iterable[Found]:
    for stage in facts.stages:
        actual, one = stage.base.platform, stage.from_
        if stage.parent is not None or actual is None or one is None:
            continue
        expected = _expected(facts, one)
        if expected and (expected.os, expected.architecture) != (actual.os, actual.architecture):
            message = (
                f"Base image {one.image} was pulled with platform {quoted(str(actual))},"
                f" expected {quoted(str(expected))} for current build"
            )
            yield Found(message, one.location)


def _expected(facts: Facts, one: From) -> Platform | None:
    try:
        return Platform.parse(one.platform) if one.platform else facts.around.target
    except InvalidPlatform:
        return None


RULE = Rule(
    name="InvalidBaseImagePlatform",
    page="invalid-base-image-platform",
    description="Base image platform does not match expected target platform",
    look=_look,
)
