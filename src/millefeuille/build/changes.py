"""Changes: Dockerfile instructions that set what an image does when it runs (`import -c`, `commit -c`).

They are read as those of a build are, and as one text: a directive may stand first, a line may go on.
Source: moby, builder/dockerfile/builder.go, `BuildFromConfig`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from millefeuille.annotations import Any, Final
from millefeuille.build import metadata, process
from millefeuille.build.base import Base
from millefeuille.build.dockerfile.command import split_command
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.instructions import (
    Cmd,
    Entrypoint,
    Env,
    Instruction,
    ShellForm,
    Workdir,
)
from millefeuille.build.dockerfile.lines import LineReader
from millefeuille.build.dockerfile.parser import parse_line
from millefeuille.build.expanded import expanded
from millefeuille.build.scope import Scope
from millefeuille.build.state import State
from millefeuille.errors import Invalid
from millefeuille.oci.platform import Platform
from millefeuille.values import replace

_ALLOWED: Final = (
    "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "STOPSIGNAL", "USER", "VOLUME",
    "WORKDIR",
)  # fmt: skip


class BadInstruction(Invalid):
    """A line is no instruction, or one that cannot be used here."""


def apply_changes(changes: Iterable[str], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The `config` member of an image config after these instructions, which is as `before` without any.

    An ENTRYPOINT without a CMD before it takes away the command that was there. Raises BadInstruction.
    """
    changes, config = [*changes], dict(before or {})
    if not changes:
        return config
    # Lone surrogates become bytes that are no UTF-8, which the parser refuses.
    reader = LineReader("\n".join(changes).encode("utf-8", "surrogatepass"))
    try:
        instructions = [*_read(reader)]
        if not instructions:
            raise BadInstruction("file with no instructions")
        platform = Platform.host()
        scope = Scope(escape=reader.directives.escape).stage(process.environment(config))
        state = State(platform=platform, base=Base(name="", platform=platform), scope=scope, config=config)
        for instruction in instructions:
            state = _changed(state, expanded(instruction, state.scope))
    except (Complaint, DockerfileError) as error:
        raise BadInstruction(error.message) from None
    return dict(state.config)


def _read(reader: LineReader) -> Iterator[Instruction]:
    while line := reader.next():
        command = split_command(line.text, reader.directives.escape)
        if command.name not in _ALLOWED:
            raise BadInstruction(f"{command.keyword} is not a valid change command")
        yield parse_line(line, reader, "")


def _changed(state: State, one: Instruction) -> State:
    if isinstance(one, Env):
        pairs = [(pair.key, pair.value) for pair in one.pairs]
        scope = state.scope.with_env(pairs)
        return replace(state, scope=scope, config=process.with_environment(state.config, pairs))
    if isinstance(one, Workdir):
        if not one.path:
            raise BadInstruction("cannot normalize nothing")
        path = process.joined(state.directory, one.path)
        return replace(state, config={**state.config, "WorkingDir": path})
    # Without a word, Docker takes an ENTRYPOINT for an empty list, and CMD for a shell without a command.
    if isinstance(one, Entrypoint) and _says_nothing(one.command):
        one = replace(one, command=())
    if not isinstance(one, Cmd):
        return metadata.apply(state, one)
    if _says_nothing(one.command):
        one = replace(one, command=process.shell(state.config))
    state = metadata.apply(state, one)
    # Unlike a build, Docker does not mark a command in shell form here.
    return replace(state, config=process.without(state.config, "ArgsEscaped"))


def _says_nothing(command: object) -> bool:
    """Whether it is a shell form without a word; the exec form `[""]` is a tuple like it, and is none."""
    return isinstance(command, ShellForm) and not command.text
