"""FROM --platform with one platform for every build."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule
from millefeuille.oci.gotext import quoted
from millefeuille.oci.platform import InvalidPlatform, Platform


def _look(facts: Facts) -> Iterable[Found]:
    for stage in facts.dockerfile.stages:
        one = stage.from_
        if not one.platform or "$" in one.platform:
            continue
        try:
            platform = Platform.parse(one.platform)
        except InvalidPlatform:
            continue
        name = stage.name or ""
        # A stage that says in its name what it is for means it.
        if platform.os not in name and platform.architecture not in name:
            message = f"FROM --platform flag should not use constant value {quoted(one.platform)}"
            yield Found(message, one.location)


RULE = Rule(
    name="FromPlatformFlagConstDisallowed",
    page="from-platform-flag-const-disallowed",
    description="FROM --platform flag should not use a constant value",
    look=_look,
)
