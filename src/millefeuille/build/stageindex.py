"""Stages that COPY --from names by their numbers."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable

from millefeuille.annotations import Final
from millefeuille.build.dockerfile.dockerfile import Dockerfile
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.instructions import Copy, Instruction
from millefeuille.wholenumber import whole_number

_NUMBER: Final = re.compile(r"([+-]?)([0-9]+)")


def stage_index(name: str) -> int | None:
    """The number that a name is, with or without a sign, as Go reads it; None for any other name."""
    found = _NUMBER.fullmatch(name)
    number = whole_number(found[2]) if found else None
    return -number if found and number is not None and found[1] == "-" else number


def check_indexes(dockerfile: Dockerfile, contexts: Container[str]) -> None:
    """Raises DockerfileError for a COPY --from of a number that no stage has, and no named context: BuildKit
    looks at those of all stages before anything is done.
    """
    for stage in dockerfile.stages:
        check_stage_indexes(stage.instructions, dockerfile, contexts)


def check_stage_indexes(
    instructions: Iterable[Instruction], dockerfile: Dockerfile, contexts: Container[str]
) -> None:
    """The same of these instructions, which may be triggers of a base image."""
    for one in instructions:
        if not isinstance(one, Copy) or one.from_ in contexts:
            continue
        number = stage_index(one.from_)
        if number is not None and not 0 <= number < len(dockerfile.stages):
            message = f"invalid stage index {number}"
            raise DockerfileError(message, name=dockerfile.name, line=one.location.first)
