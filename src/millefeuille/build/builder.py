"""The builder: a plan carried out, independent stages at the same time.

    plan ─► per stage: base ─► instruction ─► instruction … ─► State
                        metadata: at once · RUN, COPY, ADD, WORKDIR: a layer, from the cache or made

The first failure stops all stages; layers that were finished before it stay in the cache.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence

from millefeuille.build import metadata, process, words
from millefeuille.build.base import Base
from millefeuille.build.dockerfile.instructions import (
    Add,
    Arg,
    Copy,
    Env,
    Instruction,
    Run,
    Workdir,
)
from millefeuille.build.foreseen import Foreseen, foreseen
from millefeuille.build.layering import Unmade
from millefeuille.build.plan import Plan, PlannedStage
from millefeuille.build.report import Began, Ended, Planned, Reporter, Vertex
from millefeuille.build.running.failure import StepStopped
from millefeuille.build.scope import Scope
from millefeuille.build.state import State
from millefeuille.build.steps.run import run
from millefeuille.build.steps.step import Site, Workshop, result
from millefeuille.build.steps.transfer import copy
from millefeuille.build.steps.workdir import workdir
from millefeuille.errors import MilleError
from millefeuille.later import Later
from millefeuille.values import dataclass, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent import futures

    from millefeuille.build.steps import add as adding
else:  # most builds need neither
    futures = Later("concurrent.futures")
    adding = Later("millefeuille.build.steps.add")

_LAYERS = (Run, Copy, Add, Workdir)
_PAUSE = 0.2  # seconds between two looks at what a signal has brought


@dataclass(frozen=True, slots=True)
class _Line:
    """An instruction of a stage with its line of progress; metadata has none."""

    foreseen: Foreseen
    vertex: Vertex | None


def build(
    plan: Plan, scope: Scope, workshop: Workshop, *, label: str = "", first: int = 0
) -> tuple[State, int]:
    """Carry out the plan; the target's state, whose layers are all in the store and claimed.

    Lines of progress begin with `label`, and have numbers from `first` on; the last one's is given too.

    Raises the first failure: DockerfileError, StepFailed, NotFound for files and images, DiskFull, Vanished …
    """
    made = _Build(plan, scope, workshop, label, first)
    return made.run(), made.numbers


class _Build:
    def __init__(self, plan: Plan, scope: Scope, workshop: Workshop, label: str, first: int) -> None:
        self._label = f"{label} " if label else ""
        self._plan = plan
        self._scope = scope
        self._workshop = workshop
        self._reporter: Reporter = workshop.layering.reporter
        self._states: dict[int, futures.Future[State]] = {}
        self.numbers = first
        self._over: set[int] = set()  # steps by number
        self._failures: list[BaseException] = []  # in the order of their coming, without what they stopped

    def run(self) -> State:
        told = foreseen(self._plan, self._scope, self._workshop.allowed)
        lines = {stage.index: self._lines(stage, told[stage.index]) for stage in self._plan.stages}
        vertices = tuple(v for first, rest in lines.values() for v in (first, *_vertices(rest)))
        self._reporter.report(Planned(vertices=vertices))
        if len(self._plan.stages) == 1:
            return self._stage(self._plan.target, *lines[self._plan.target.index])
        with futures.ThreadPoolExecutor(_workers(len(self._plan.stages))) as pool, self._stopping():
            # A stage waits for those before it only, and these were handed in before it.
            for stage in self._plan.stages:
                first, rest = lines[stage.index]
                self._states[stage.index] = pool.submit(self._stage, stage, first, rest)
            # An interrupt that comes just before a wait is heard after it.
            while futures.wait(self._states.values(), timeout=_PAUSE).not_done:
                pass
        if self._failures:
            raise self._failures[0]
        return self._states[self._plan.target.index].result()

    @contextlib.contextmanager
    def _stopping(self) -> Iterator[None]:
        """End the commands that run, and the stages with them, where the block is interrupted."""
        try:
            yield
        except BaseException:
            self._workshop.stop.set()
            raise

    def _lines(
        self, stage: PlannedStage, instructions: Sequence[Foreseen]
    ) -> tuple[Vertex, tuple[_Line, ...]]:
        total = 1 + sum(isinstance(one, _LAYERS) for one in stage.instructions)
        alone = len(self._plan.stages) == 1 and not stage.stage.name
        label = (stage.name, "" if alone else f"{stage.name} ")
        base = stage.base.name if isinstance(stage.base, Base) else self._name(stage.base)
        text = f"FROM {base}"
        first = self._vertex(label, 1, total, text, text, stage.stage.from_.location.first)
        lines, place = [], 1
        for one in instructions:
            vertex = None
            if isinstance(one.written, _LAYERS):
                place += 1
                line = one.written.location.first
                vertex = self._vertex(label, place, total, one.shown, one.written.original, line)
            lines.append(_Line(one, vertex))
        return first, tuple(lines)

    def _name(self, index: int) -> str:
        return next(stage.name for stage in self._plan.stages if stage.index == index)

    def _vertex(
        self, label: tuple[str, str], place: int, total: int, shown: str, text: str, line: int
    ) -> Vertex:
        self.numbers += 1
        stage, prefix = label
        name = f"[{self._label}{prefix}{place:>{len(str(total))}}/{total}] {shown}"
        return Vertex(number=self.numbers, name=name, line=line, stage=stage, place=place, text=text)

    def _stage(self, stage: PlannedStage, first: Vertex, lines: Sequence[_Line]) -> State:
        try:
            state = self._begin(stage, first)
            for line in lines:
                if self._workshop.stop.is_set():
                    raise StepStopped("the build was stopped")
                state = self._step(stage, state, line)
            return state
        except Unmade:
            self._leave(lines)
            raise
        except BaseException as error:
            if not isinstance(error, StepStopped):
                self._failures.append(error)
            self._workshop.stop.set()
            raise

    def _leave(self, lines: Sequence[_Line]) -> None:
        """Tell of the steps of a rehearsed stage that are not in the cache, or stand on one that is not."""
        for line in lines:
            if line.vertex is not None and line.vertex.number not in self._over:
                self._reporter.report(Ended(vertex=line.vertex, outcome="wanted"))

    def _begin(self, stage: PlannedStage, vertex: Vertex) -> State:
        base = stage.base
        if isinstance(base, int):
            below = result(self._states[base])
            state = replace(below, config=process.without(below.config, "OnBuild"), has_command=False)
            state = replace(state, scope=below.scope.child())
        else:
            self._reporter.report(Began(vertex=vertex))
            config = process.begun(base.process, windows=stage.platform.os == "windows")
            scope = self._scope.stage(process.environment(config))
            state = State(platform=stage.platform, base=base, scope=scope, layers=base.layers, config=config)
            self._reporter.report(Ended(vertex=vertex, outcome="done"))
        return state

    def _step(self, stage: PlannedStage, state: State, line: _Line) -> State:
        instruction = line.foreseen.instruction
        if isinstance(instruction, Arg):
            return self._arg(state, instruction)
        if isinstance(instruction, Env):
            pairs = [(pair.key, pair.value) for pair in instruction.pairs]
            config = process.with_environment(state.config, pairs)
            state = replace(state, scope=state.scope.with_env(pairs))
            return state.told(words.pairs("ENV", pairs), config)
        if metadata.is_metadata(instruction):
            return metadata.apply(state, instruction)
        assert line.vertex is not None
        site = Site(
            stage=stage, state=state, vertex=line.vertex, states=self._states,
            written=line.foreseen.written, file=state.scope.file,
        )
        began = time.monotonic_ns()
        try:
            state = self._layer(site, instruction)
            self._over.add(line.vertex.number)
            return state
        except Unmade:
            raise
        except MilleError as error:
            self._workshop.layering.failed(line.vertex, time.monotonic_ns() - began, error)
            raise

    def _layer(self, site: Site, instruction: Instruction) -> State:
        if isinstance(instruction, Run):
            return run(self._workshop, site, instruction)
        if isinstance(instruction, Workdir):
            return workdir(self._workshop, site, instruction)
        if isinstance(instruction, Add):
            return adding.add(self._workshop, site, instruction)
        assert isinstance(instruction, Copy)
        return copy(self._workshop, site, instruction)

    def _arg(self, state: State, instruction: Arg) -> State:
        scope = state.scope
        told = []
        for one in instruction.pairs:
            scope = scope.with_arg(one.name, one.value)
            told.append((one.name, one.value))
        return replace(state, scope=scope).told(words.pairs("ARG", told))


def _vertices(lines: Sequence[_Line]) -> list[Vertex]:
    return [line.vertex for line in lines if line.vertex is not None]


def _workers(stages: int) -> int:
    """Stages at a time: commands wait a lot, so some more than there are processors."""
    return max(1, min(stages, 2 * len(os.sched_getaffinity(0))))
