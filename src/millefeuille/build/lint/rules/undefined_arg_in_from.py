"""A variable in FROM that no ARG before the first FROM declares."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.suggestion import nearest
from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule


def _look(facts: Facts) -> Iterable[Found]:
    declared = [pair.name for arg in facts.dockerfile.global_args for pair in arg.pairs]
    known = [*declared, *facts.outer.variables]
    for stage in facts.dockerfile.stages:
        one = stage.from_
        for text in (one.image, one.platform):
            for name in _unset(facts, text):
                if name not in known:
                    meant = nearest(name, known)
                    wish = f" (did you mean {meant}?)" if meant else ""
                    yield Found(f"FROM argument '{name}' is not declared{wish}", one.location)


def _unset(facts: Facts, text: str) -> tuple[str, ...]:
    try:
        return facts.outer.look(text).unset
    except Complaint:
        return ()


RULE = Rule(
    name="UndefinedArgInFrom",
    page="undefined-arg-in-from",
    description="FROM command must use declared ARGs",
    look=_look,
)
