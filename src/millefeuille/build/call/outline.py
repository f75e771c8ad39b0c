"""What the build of a target takes: arguments, secrets, agents and caches."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.call.reached import reached
from millefeuille.build.dockerfile.arguments import description
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.dockerfile import Dockerfile
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.instructions import Arg, Declared, Env, Instruction, Location, Run
from millefeuille.build.dockerfile.mount import Mount, read_mount
from millefeuille.build.expanded import expanded, expanded_from
from millefeuille.build.scope import Scope
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """An ARG that the target looks at, with the value it would have; empty without one."""

    name: str
    value: str
    description: str
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A secret, an agent or a cache that a RUN mounts."""

    name: str
    required: bool
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What a target takes, each list by line."""

    name: str
    description: str
    arguments: tuple[Argument, ...]
    secrets: tuple[Wanted, ...]
    agents: tuple[Wanted, ...]
    caches: tuple[Wanted, ...]


def outline(dockerfile: Dockerfile, outer: Scope, index: int) -> Outline:
    """The outline of the stage at `index`; `outer` is the global scope.

    Base images are not looked at: what their environment sets counts as unset. Raises DockerfileError
    where the file is wrong.
    """
    stage = dockerfile.stages[index]
    gathering = _Gathering(dockerfile, outer)
    for one in sorted(reached(dockerfile, outer, index)):
        gathering.visit(one)
    name = stage.name or ""
    return Outline(
        name=name,
        description=description(stage.from_.comments, name),
        arguments=tuple(sorted(gathering.arguments.values(), key=_line)),
        secrets=_by_line(gathering.wanted["secret"]),
        agents=_by_line(gathering.wanted["ssh"]),
        caches=_by_line(gathering.wanted["cache"]),
    )


class _Gathering:
    """Goes through stages in turn; a stage comes after those it stands on."""

    def __init__(self, dockerfile: Dockerfile, outer: Scope) -> None:
        self._dockerfile = dockerfile
        self._outer = outer
        self._ends: dict[str, Scope] = {}
        self.arguments: dict[str, Argument] = {}
        self.wanted: dict[str, dict[str, Wanted]] = {"secret": {}, "ssh": {}, "cache": {}}
        self._globals = {
            pair.name: (pair, arg.location) for arg in dockerfile.global_args for pair in arg.pairs
        }

    def visit(self, index: int) -> None:
        """Adds what a stage takes."""
        stage = self._dockerfile.stages[index]
        self._used_in_from(stage.from_.image)
        self._used_in_from(stage.from_.platform)
        base = expanded_from(stage.from_, self._outer, self._dockerfile.name).image
        below = self._ends.get(base.lower())
        scope = self._outer.stage(()) if below is None else below.child()
        for one in stage.instructions:
            scope = self._after(one, scope)
        if stage.name:
            self._ends[stage.name] = scope

    def _used_in_from(self, text: str) -> None:
        try:
            seen = self._outer.look(text)
        except Complaint:
            return
        for name in (*sorted(seen.found), *seen.unset):
            self._global(name)

    def _global(self, name: str) -> None:
        if name in self._globals and name not in self.arguments:
            pair, location = self._globals[name]
            self._add(pair, location, self._outer.variables.get(name))

    def _add(self, pair: Declared, location: Location, value: str | None) -> None:
        self.arguments[pair.name] = Argument(
            name=pair.name, value=value or "", description=pair.comment, location=location
        )

    def _after(self, one: Instruction, scope: Scope) -> Scope:
        try:
            done = expanded(one, scope)
        except DockerfileError:
            # What is missing may be in the base image.
            return scope
        if isinstance(done, Arg) and isinstance(one, Arg):
            for pair, written in zip(done.pairs, one.pairs, strict=True):
                if written.value is None and pair.name in self._globals:
                    self._global(pair.name)
                elif pair.name not in self.arguments:
                    self._add(pair, one.location, pair.value)
                scope = scope.with_arg(pair.name, pair.value)
        if isinstance(done, Env):
            scope = scope.with_env(done.pairs)
        if isinstance(done, Run):
            for text in done.mounts:
                self._mounted(read_mount(text, scope.expand), one.location)
        return scope

    def _mounted(self, mount: Mount, location: Location) -> None:
        kind = self.wanted.get(mount.type)
        name = mount.id or mount.target
        if kind is None:
            return
        earlier = kind.get(name)
        required = mount.required or (earlier is not None and earlier.required)
        place = location if earlier is None else earlier.location
        kind[name] = Wanted(name=name, required=required, location=place)


def _by_line(wanted: dict[str, Wanted]) -> tuple[Wanted, ...]:
    found: Iterable[Wanted] = wanted.values()
    return tuple(sorted(found, key=_line))


def _line(one: Argument | Wanted) -> int:
    return one.location.first
