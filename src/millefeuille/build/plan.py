"""The plan: which stages a target needs, what each begins with, and where each takes files from.

    target ─► its base: an earlier stage, a named context, an image, scratch
           ─► the triggers that the base carries, before its own instructions
           ─► what COPY --from and --mount from= name ─► the same for these stages

Stages that nothing leads to are not looked at. Base images are resolved here, for their triggers may lead to
more stages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from millefeuille.annotations import Final
from millefeuille.build.base import Base, Bases
from millefeuille.build.dockerfile.csvfields import csv_fields
from millefeuille.build.dockerfile.dockerfile import Dockerfile, Stage
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.instructions import Copy, From, Instruction, Onbuild, Run
from millefeuille.build.dockerfile.parser import parse_trigger
from millefeuille.build.dockerfile.suggestion import nearest
from millefeuille.build.expanded import expanded_from
from millefeuille.build.scope import Scope
from millefeuille.build.stageindex import check_indexes, check_stage_indexes, stage_index
from millefeuille.errors import NotFound
from millefeuille.oci.platform import Platform
from millefeuille.values import dataclass, field
from millefeuille.wholenumber import whole_number

SCRATCH = "scratch"
_EMPTY: Final = {"config": {"WorkingDir": "/"}}  # the config of scratch


class NoSuchTarget(NotFound):
    """The target is no stage of the Dockerfile; the message is BuildKit's."""


@dataclass(frozen=True, slots=True)
class FromStage:
    """Files of another stage."""

    index: int


@dataclass(frozen=True, slots=True)
class FromImage:
    """Files of an image."""

    name: str
    platform: Platform


@dataclass(frozen=True, slots=True)
class FromContext:
    """Files of a named context, or with "" of the build's own."""

    name: str = ""


Origin = FromStage | FromImage | FromContext


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStage:
    """One stage that is needed: `base` is the number of an earlier one, or an image.

    `origins` say what the names in COPY --from and --mount from= of its instructions mean.
    """

    index: int
    stage: Stage
    platform: Platform
    base: int | Base
    instructions: tuple[Instruction, ...]
    origins: Mapping[str, Origin] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What progress calls it."""
        return self.stage.shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The stages that are needed, each after those it needs; the last one is the target."""

    stages: tuple[PlannedStage, ...]

    @property
    def target(self) -> PlannedStage:
        """The stage that becomes the image."""
        return self.stages[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a plan depends on beside the Dockerfile: the global scope, base images, the names of contexts
    (each stands for files, or for an image when it has a name there), and the platform asked for.
    """

    scope: Scope
    bases: Bases
    platform: Platform
    contexts: Mapping[str, str | None] = field(default_factory=dict)


def plan(dockerfile: Dockerfile, target: str, around: Surroundings) -> Plan:
    """The plan for a target, "" for the last stage.

    Raises NoSuchTarget, DockerfileError, and what resolving base images raises.
    """
    check_indexes(dockerfile, around.contexts)
    planner = _Planner(dockerfile, around)
    planner.visit(target_index(dockerfile, target))
    return Plan(stages=tuple(planner.planned.values()))


def target_index(dockerfile: Dockerfile, target: str) -> int:
    """The number of the stage that is called `target`. Raises NoSuchTarget."""
    stages = dockerfile.stages
    if not target:
        return len(stages) - 1
    for stage in reversed(stages):
        if stage.name is not None and stage.name == target.lower():
            return stage.index
    number = whole_number(target)
    if number is not None and number < len(stages):
        return number
    near = nearest(target, [stage.name for stage in stages if stage.name], fold_case=True)
    hint = f" (did you mean {near}?)" if near else ""
    raise NoSuchTarget(f'target stage "{target}" could not be found{hint}')


class _Planner:
    def __init__(self, dockerfile: Dockerfile, around: Surroundings) -> None:
        self._dockerfile = dockerfile
        self._around = around
        self._visiting: list[int] = []
        self.planned: dict[int, PlannedStage] = {}

    def visit(self, index: int) -> PlannedStage:
        """Plan a stage after what it needs."""
        if index in self.planned:
            return self.planned[index]
        stage = self._dockerfile.stages[index]
        if index in self._visiting:
            raise self._error(stage.from_, f"circular dependency detected on stage: {stage.name or index}")
        self._visiting.append(index)
        made = self._plan(stage)
        self._visiting.pop()
        self.planned[index] = made
        return made

    def _plan(self, stage: Stage) -> PlannedStage:
        base, platform = self._base(stage)
        triggers = tuple(self._triggers(stage, base))
        check_stage_indexes(triggers, self._dockerfile, self._around.contexts)
        instructions = (*triggers, *stage.instructions)
        origins = {}
        for instruction in instructions:
            for name in _names(instruction):
                if name not in origins:
                    origins[name] = self._origin(stage, instruction, name, platform)
        return PlannedStage(
            index=stage.index, stage=stage, platform=platform, base=base,
            instructions=instructions, origins=origins,
        )  # fmt: skip

    def _base(self, stage: Stage) -> tuple[int | Base, Platform]:
        line = expanded_from(stage.from_, self._around.scope, self._dockerfile.name)
        image = line.image
        wanted = Platform.parse(line.platform) if line.platform else self._around.platform
        replaced = self._around.contexts.get(stage.name) if stage.name else None
        if replaced is None:
            earlier = self._earlier(stage.index, image)
            if earlier is not None:
                parent = self.visit(earlier)
                return earlier, parent.platform
            if image.lower() == SCRATCH:
                return Base(name=SCRATCH, platform=wanted, document=_EMPTY), wanted
            replaced = self._around.contexts.get(image.removesuffix(":latest"))
        base = self._around.bases.resolve(replaced or image, wanted)
        # Unless one was asked for, the platform is the one that the base image has.
        return base, wanted if line.platform else base.platform

    def _earlier(self, index: int, name: str) -> int | None:
        """The last stage of that name before the one with number `index`."""
        for stage in reversed(self._dockerfile.stages[:index]):
            if stage.name and stage.name.lower() == name.lower():
                return stage.index
        return None

    def _triggers(self, stage: Stage, base: int | Base) -> Iterator[Instruction]:
        if isinstance(base, Base):
            for text in base.triggers:
                yield parse_trigger(text, location=stage.from_.location, name=self._dockerfile.name)
            return
        for instruction in self._dockerfile.stages[base].instructions:
            if isinstance(instruction, Onbuild):
                yield instruction.trigger

    def _origin(self, stage: Stage, instruction: Instruction, name: str, platform: Platform) -> Origin:
        earlier = self._earlier(stage.index, name)
        number = stage_index(name)
        if earlier is None and number is not None and 0 <= number < len(self._dockerfile.stages):
            earlier = number
        if earlier is not None:
            if earlier == stage.index:
                message = f"circular dependency detected on stage: {stage.name or stage.index}"
                raise self._error(instruction, message)
            if earlier > stage.index:
                raise self._later(stage, instruction, name)
            self.visit(earlier)
            return FromStage(earlier)
        later = self._dockerfile.stages[stage.index :]
        if any(one.name == name.lower() for one in later):
            raise self._later(stage, instruction, name)
        contexts = self._around.contexts
        if name in contexts:
            image = contexts[name]
            return FromContext(name) if image is None else FromImage(image, platform)
        return FromImage(name, platform)

    def _later(self, stage: Stage, instruction: Instruction, name: str) -> DockerfileError:
        if stage.name and stage.name.lower() == name.lower():
            return self._error(instruction, f"circular dependency detected on stage: {stage.name}")
        here = stage.name or str(stage.index)
        return self._error(
            instruction,
            f'cannot copy from stage "{name}", it needs to be defined before current stage "{here}"',
        )

    def _error(self, instruction: Instruction | From, message: str) -> DockerfileError:
        return DockerfileError(message, name=self._dockerfile.name, line=instruction.location.first)


def _names(instruction: Instruction) -> Sequence[str]:
    """What an instruction names as the origin of files."""
    if isinstance(instruction, Copy):
        return (instruction.from_,) if instruction.from_ else ()
    if isinstance(instruction, Run):
        return [name for name in map(_origin_of, instruction.mounts) if name]
    return ()


def _origin_of(mount: str) -> str:
    """The `from` of a mount's text; no variable is expanded in it."""
    fields = (field.partition("=") for field in csv_fields(mount))
    return next((value for name, _, value in fields if name.lower() == "from"), "")
