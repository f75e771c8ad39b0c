"""The shell form of CMD and ENTRYPOINT, where nobody chose the shell."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.dockerfile.instructions import Cmd, Entrypoint, Shell, ShellForm
from millefeuille.build.lint.facts import Facts, StageFacts
from millefeuille.build.lint.rule import Found, Rule


def _look(facts: Facts) -> Iterable[Found]:
    for stage in facts.stages:
        chosen = _chosen_before(stage)
        for step in stage.steps:
            one = step.written
            chosen = chosen or isinstance(one, Shell)
            if isinstance(one, Cmd | Entrypoint) and isinstance(one.command, ShellForm) and not chosen:
                message = (
                    f"JSON arguments recommended for {one.keyword} to prevent unintended behavior"
                    " related to OS signals"
                )
                yield Found(message, one.location)


def _chosen_before(stage: StageFacts) -> bool:
    below = stage.parent
    while below is not None:
        if any(isinstance(step.written, Shell) for step in below.steps):
            return True
        below = below.parent
    return stage.base.shell


RULE = Rule(
    name="JSONArgsRecommended",
    page="json-args-recommended",
    description=(
        "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals"
    ),
    look=_look,
)
