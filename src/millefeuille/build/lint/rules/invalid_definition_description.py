"""A comment above a stage or an argument that does not begin with its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from millefeuille.build.dockerfile.instructions import Arg, Instruction
from millefeuille.build.lint.facts import Facts
from millefeuille.build.lint.options import is_option
from millefeuille.build.lint.rule import Found, Rule


def _look(facts: Facts) -> Iterable[Found]:
    dockerfile = facts.dockerfile
    for stage in dockerfile.stages:
        if stage.name is not None:
            yield from _judged(stage.from_, "FROM", [stage.name])
    instructions = [one for stage in dockerfile.stages for one in stage.instructions]
    for one in (*dockerfile.global_args, *instructions):
        if isinstance(one, Arg):
            yield from _judged(one, "ARG", [pair.name for pair in one.pairs])


def _judged(one: Instruction, word: str, names: Sequence[str]) -> Iterable[Found]:
    comments = [comment for comment in one.comments if not is_option(comment)]
    if comments and comments[-1].split(" ")[0] not in names:
        example = names[0] if len(names) == 1 else "<arg_key>"
        message = f"Comment for {word} should follow the format: `# {example} <description>`"
        yield Found(message, one.location)


RULE = Rule(
    name="InvalidDefinitionDescription",
    page="invalid-definition-description",
    description=(
        "Comment for build stage or argument should follow the format: `# <arg/stage "
        "name> <description>`. If this is not intended to be a description comment, add "
        "an empty line or comment between the instruction and the comment."
    ),
    look=_look,
    experimental=True,
)
