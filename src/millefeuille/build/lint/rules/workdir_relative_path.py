"""A relative WORKDIR that depends on the one of the base image."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.dockerfile.instructions import Workdir
from millefeuille.build.lint.facts import Facts, StageFacts
from millefeuille.build.lint.rule import Found, Rule
from millefeuille.oci.gotext import quoted


def _look(facts: Facts) -> Iterable[Found]:
    for stage in facts.stages:
        first = _first(stage)
        if first is not None and not first.path.startswith("/") and not _set_below(stage):
            message = (
                f"Relative workdir {quoted(first.path)} can have unexpected results if the base image changes"
            )
            yield Found(message, first.location)


def _first(stage: StageFacts) -> Workdir | None:
    """The first WORKDIR: what follows is right when it is."""
    for step in stage.steps:
        if isinstance(step.expanded or step.written, Workdir):
            one = step.expanded or step.written
            return one if isinstance(one, Workdir) else None
    return None


def _set_below(stage: StageFacts) -> bool:
    below = stage.parent
    while below is not None:
        if _first(below) is not None:
            return True
        below = below.parent
    return False


RULE = Rule(
    name="WorkdirRelativePath",
    page="workdir-relative-path",
    description=(
        "Relative workdir without an absolute workdir declared within the build can have "
        "unexpected results if the base image changes"
    ),
    look=_look,
)
