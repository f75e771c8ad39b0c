"""An instruction that a later one of the stage undoes."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.dockerfile.instructions import Cmd, Entrypoint, Healthcheck, Instruction
from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.rule import Found, Rule

_ONCE = (Cmd, Entrypoint, Healthcheck)


def _look(facts: Facts) -> Iterable[Found]:
    for stage in facts.dockerfile.stages:
        last: dict[type[Instruction], Instruction] = {}
        for one in stage.instructions:
            if not isinstance(one, _ONCE):
                continue
            earlier = last.get(type(one))
            if earlier is not None:
                message = (
                    f"Multiple {one.keyword} instructions should not be used in the same stage"
                    " because only the last one will be used"
                )
                yield Found(message, earlier.location)
            last[type(one)] = one


RULE = Rule(
    name="MultipleInstructionsDisallowed",
    page="multiple-instructions-disallowed",
    description="Multiple instructions of the same type should not be used in the same stage",
    look=_look,
)
