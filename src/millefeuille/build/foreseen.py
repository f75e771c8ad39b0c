"""What the instructions of a plan say with their variables replaced, before the first of them is carried out.

Variables depend on base images, ARG and ENV alone, so a Dockerfile with a mistake in its last line fails
before a command has run, and steps can be told of by what they will do.
"""

from __future__ import annotations

from millefeuille.build import process
from millefeuille.build.base import Base
from millefeuille.build.copying import chmod
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.expand import expand
from millefeuille.build.dockerfile.instructions import Add, Arg, Copy, Env, Instruction, Run, Workdir
from millefeuille.build.dockerfile.lexing import Lexing
from millefeuille.build.dockerfile.mount import mount_target, read_mount
from millefeuille.build.expanded import expanded
from millefeuille.build.plan import Plan, PlannedStage
from millefeuille.build.running import entitlements
from millefeuille.build.scope import Scope
from millefeuille.errors import Invalid
from millefeuille.later import Later
from millefeuille.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.build.steps import add as adding
else:  # few builds need it
    adding = Later("millefeuille.build.steps.add")

_ANYWHERE = ("secret", "ssh")  # mounts that need no target


@dataclass(frozen=True, slots=True)
class Foreseen:
    """An instruction as it is written, with its variables replaced, and as a line of progress shows it."""

    written: Instruction
    instruction: Instruction
    shown: str


@dataclass(frozen=True, slots=True)
class _Place:
    scope: Scope
    directory: str


def foreseen(
    plan: Plan, scope: Scope, allowed: frozenset[str] | None = None
) -> dict[int, tuple[Foreseen, ...]]:
    """The instructions of each stage by its number. `scope` is the one that FROM sees, `allowed` are the
    entitlements of commands, None for all.

    Raises DockerfileError for what cannot be expanded, for modes and for places of mounts that are none,
    EntitlementMissing.
    """
    found: dict[int, tuple[Foreseen, ...]] = {}
    ends: dict[int, _Place] = {}
    for stage in plan.stages:
        place = _beginning(stage, scope, ends)
        told = []
        for written in stage.instructions:
            instruction = expanded(written, place.scope)
            _check(written, instruction, place)
            if isinstance(instruction, Run) and allowed is not None:
                entitlements.hold(instruction.network, instruction.security, allowed)
            told.append(Foreseen(written, instruction, _shown(written, place.scope)))
            place = _after(instruction, place)
        found[stage.index] = tuple(told)
        ends[stage.index] = place
    return found


def _beginning(stage: PlannedStage, scope: Scope, ends: dict[int, _Place]) -> _Place:
    if not isinstance(stage.base, Base):
        return _Place(ends[stage.base].scope.child(), ends[stage.base].directory)
    config = process.begun(stage.base.process, windows=stage.platform.os == "windows")
    return _Place(scope.stage(process.environment(config)), process.directory(config))


def _after(instruction: Instruction, place: _Place) -> _Place:
    scope, directory = place.scope, place.directory
    if isinstance(instruction, Arg):
        for one in instruction.pairs:
            scope = scope.with_arg(one.name, one.value)
    elif isinstance(instruction, Env):
        scope = scope.with_env([(pair.key, pair.value) for pair in instruction.pairs])
    elif isinstance(instruction, Workdir):
        directory = process.joined(directory, instruction.path)
    return _Place(scope, directory)


def _check(written: Instruction, instruction: Instruction, place: _Place) -> None:
    try:
        _hold(instruction, place)
    except Invalid as error:
        suggestion = error.suggestion if isinstance(error, Complaint) else ""
        name, line = place.scope.file, written.location.first
        raise DockerfileError(str(error), name=name, line=line, suggestion=suggestion) from None


def _hold(instruction: Instruction, place: _Place) -> None:
    if isinstance(instruction, (Copy, Add)) and instruction.chmod:
        chmod.parse(instruction.chmod)
    if isinstance(instruction, Add) and instruction.checksum:
        adding.check_checksum(instruction)
    if isinstance(instruction, Run):
        for text in instruction.mounts:
            mount = read_mount(text, place.scope.expand)
            if mount.target or mount.type not in _ANYWHERE:
                mount_target(mount, place.directory)


def _shown(written: Instruction, scope: Scope) -> str:
    """As BuildKit tells of it: the instruction in capitals, variables that are set replaced."""
    keyword, rest = written.original[: len(written.keyword)], written.original[len(written.keyword) :]
    lexing = Lexing(escape=scope.escape, raw_quotes=True, raw_escapes=True, skip_unset=True)
    try:
        rest = expand(rest, scope.variables, lexing).text
    except Complaint:
        pass  # a command may hold what is no variable of ours
    return keyword.upper() + rest
