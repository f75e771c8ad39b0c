"""Follows a Dockerfile through its stages as a build would, and notes what the rules need."""

from __future__ import annotations

from millefeuille.build.dockerfile.dockerfile import Dockerfile, Stage
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.expand import Expanded
from millefeuille.build.dockerfile.instructions import Arg, Env, From, Instruction
from millefeuille.build.expanded import expanded, expanded_from
from millefeuille.build.lint.facts import Around, BaseFacts, Facts, StageFacts, Step
from millefeuille.build.scope import Scope, global_scope
from millefeuille.values import dataclass, field

_SCRATCH = BaseFacts(environment={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noting(Scope):
    """A scope that notes which variables were asked for and not set."""

    notes: dict[str, None] = field(default_factory=dict)

    def look(self, text: str) -> Expanded:
        """As a scope does."""
        return self._noted(Scope.look(self, text))

    def look_into(self, text: str) -> Expanded:
        """As a scope does."""
        return self._noted(Scope.look_into(self, text))

    def _noted(self, found: Expanded) -> Expanded:
        self.notes.update(dict.fromkeys(found.unset))
        return found


def gathered(dockerfile: Dockerfile, around: Around) -> Facts:
    """The facts about a Dockerfile. Raises DockerfileError where the global scope is wrong."""
    outer = global_scope(dockerfile, around.build_args, around.predefined)
    try:
        plain = global_scope(dockerfile, {}, around.predefined)
    except DockerfileError:
        plain = None
    stages: list[StageFacts] = []
    ends: list[Scope] = []
    for stage in dockerfile.stages:
        facts, end = _stage(stage, outer, stages, ends, around.bases.get(stage.index))
        stages.append(facts)
        ends.append(end)
    return Facts(dockerfile=dockerfile, stages=tuple(stages), outer=outer, plain=plain, around=around)


def _stage(
    stage: Stage, outer: Scope, earlier: list[StageFacts], ends: list[Scope], base: BaseFacts | None
) -> tuple[StageFacts, Scope]:
    from_ = _from(stage.from_, outer)
    parent = _parent(from_, earlier)
    empty = from_ is not None and from_.image.lower() == "scratch"
    if parent is not None:
        scope, base, known = ends[parent.stage.index].child(), parent.base, parent.known
    else:
        known = empty or base is not None
        base = _SCRATCH if empty else base or BaseFacts()
        scope = outer.stage(base.environment.items())
    steps = []
    for written in stage.instructions:
        step, scope = _step(stage, written, scope)
        steps.append(step)
    facts = StageFacts(stage=stage, from_=from_, parent=parent, base=base, known=known, steps=tuple(steps))
    return facts, scope


def _from(one: From, outer: Scope) -> From | None:
    try:
        return expanded_from(one, outer)
    except DockerfileError:
        return None


def _parent(from_: From | None, earlier: list[StageFacts]) -> StageFacts | None:
    if from_ is None:
        return None
    return next((one for one in reversed(earlier) if one.stage.name == from_.image.lower()), None)


def _step(stage: Stage, written: Instruction, scope: Scope) -> tuple[Step, Scope]:
    noting = _Noting(
        file=scope.file,
        escape=scope.escape,
        build_args=scope.build_args,
        globals=scope.globals,
        variables=scope.variables,
        arguments=scope.arguments,
    )
    done: Instruction | None
    try:
        done = expanded(written, noting)
    except DockerfileError:
        done = None
    unset = tuple(name for name in noting.notes if not scope.declares(name))
    step = Step(stage=stage, written=written, expanded=done, unset=unset, scope=scope)
    if isinstance(done, Arg):
        for one in done.pairs:
            scope = scope.with_arg(one.name, one.value)
    if isinstance(done, Env):
        scope = scope.with_env(done.pairs)
    return step, scope
