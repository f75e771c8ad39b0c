"""ARG and ENV whose names sound like secrets: both stay in the image."""

from __future__ import annotations

import re
from collections.abc import Iterable

from millefeuille.build.dockerfile.instructions import Arg, Declared, Env, Pair
from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule
from millefeuille.oci.gotext import quoted

_SECRET = re.compile(
    "(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)", re.IGNORECASE
)
_HARMLESS = re.compile("(?:_|^)(?:public|file|version)(?:_|$)", re.IGNORECASE)


def _look(facts: Facts) -> Iterable[Found]:
    for stage in facts.stages:
        for step in stage.steps:
            one = step.expanded or step.written
            if isinstance(one, Arg | Env):
                for name in map(_name, one.pairs):
                    if _SECRET.search(name) and not _HARMLESS.search(name):
                        word = f"{one.keyword.upper()} {quoted(name)}"
                        message = f"Do not use ARG or ENV instructions for sensitive data ({word})"
                        yield Found(message, one.location)


def _name(pair: Pair | Declared) -> str:
    return pair[0]


RULE = Rule(
    name="SecretsUsedInArgOrEnv",
    page="secrets-used-in-arg-or-env",
    description="Sensitive data should not be used in the ARG or ENV commands",
    look=_look,
)
