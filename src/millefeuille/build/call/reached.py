"""The stages that a target stands on, or takes files from."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.dockerfile import Dockerfile, Stage
from millefeuille.build.dockerfile.instructions import Copy, Instruction, Onbuild, Run
from millefeuille.build.dockerfile.mount import Mount, read_mount
from millefeuille.build.expanded import expanded_from
from millefeuille.build.scope import Scope


def reached(dockerfile: Dockerfile, outer: Scope, index: int) -> tuple[int, ...]:
    """The indexes of the stages that the one at `index` needs, itself first, each once.

    Raises DockerfileError where a FROM has no image.
    """
    found: dict[int, None] = {}
    waiting = [index]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        found[current] = None
        stage = dockerfile.stages[current]
        base = _by_name(dockerfile.stages[:current], expanded_from(stage.from_, outer, dockerfile.name).image)
        names = [name for one in stage.instructions for name in origins(one)]
        others = [_by_name_or_number(dockerfile.stages, current, name) for name in names]
        waiting += [other for other in (*reversed(others), base) if other is not None]
    return tuple(found)


def origins(one: Instruction) -> Iterable[str]:
    """What an instruction names as the place it takes files from."""
    if isinstance(one, Onbuild):
        return ()
    if isinstance(one, Copy):
        return (one.from_,) if one.from_ else ()
    if isinstance(one, Run):
        return [mount.from_ for mount in map(_mount, one.mounts) if mount is not None and mount.from_]
    return ()


def _mount(text: str) -> Mount | None:
    try:
        # Nothing in the name of the origin is expanded, and nothing else is asked for here.
        return read_mount(text, str)
    except Complaint:
        return None


def _by_name(stages: Iterable[Stage], name: str) -> int | None:
    found = [stage.index for stage in stages if stage.name == name.lower()]
    return found[-1] if found else None


def _by_name_or_number(stages: tuple[Stage, ...], current: int, name: str) -> int | None:
    if name.isascii() and name.isdigit() and len(name) < 9:
        return int(name) if int(name) < len(stages) else None
    return _by_name(stages[:current], name)
