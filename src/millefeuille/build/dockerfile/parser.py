"""A Dockerfile's bytes made stages of instructions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from millefeuille.build.dockerfile.arguments import json_array
from millefeuille.build.dockerfile.command import split_command
from millefeuille.build.dockerfile.commands import (
    read_cmd,
    read_entrypoint,
    read_healthcheck,
    read_run,
    read_shell,
)
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.directives import SyntaxComplaint, check_syntax
from millefeuille.build.dockerfile.dockerfile import Dockerfile, Stage
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.flags import read_flags
from millefeuille.build.dockerfile.heredoc import Heredoc
from millefeuille.build.dockerfile.heredocs import openings
from millefeuille.build.dockerfile.instructions import Arg, From, Instruction, Location, Onbuild
from millefeuille.build.dockerfile.lines import LineReader, LogicalLine
from millefeuille.build.dockerfile.request import Request
from millefeuille.build.dockerfile.settings import (
    read_env,
    read_expose,
    read_label,
    read_maintainer,
    read_stop_signal,
    read_user,
    read_volume,
    read_workdir,
)
from millefeuille.build.dockerfile.staging import read_arg, read_from
from millefeuille.build.dockerfile.suggestion import nearest
from millefeuille.build.dockerfile.transfers import read_add, read_copy
from millefeuille.build.dockerfile.words import SPACES

_READERS: Mapping[str, Callable[[Request], Instruction]] = {
    "ADD": read_add,
    "ARG": read_arg,
    "CMD": read_cmd,
    "COPY": read_copy,
    "ENTRYPOINT": read_entrypoint,
    "ENV": read_env,
    "EXPOSE": read_expose,
    "FROM": read_from,
    "HEALTHCHECK": read_healthcheck,
    "LABEL": read_label,
    "MAINTAINER": read_maintainer,
    "RUN": read_run,
    "SHELL": read_shell,
    "STOPSIGNAL": read_stop_signal,
    "USER": read_user,
    "VOLUME": read_volume,
    "WORKDIR": read_workdir,
}
_KEYWORDS = (*_READERS, "ONBUILD")
_WITH_HEREDOCS = ("ADD", "COPY", "RUN")


def parse(text: bytes, *, name: str = "Dockerfile", syntax: str = "") -> Dockerfile:
    """The Dockerfile that `text` holds. `name` is shown in messages; `syntax` is the build argument
    BUILDKIT_SYNTAX.

    Raises DockerfileError, with the line, for anything that breaks a rule, and for a frontend that is not
    ours.
    """
    decoded = text.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    try:
        check_syntax(decoded, syntax)
    except SyntaxComplaint as error:
        raise DockerfileError(error.message, name=name, line=error.line) from None
    if not text:
        raise DockerfileError("the Dockerfile cannot be empty", name=name)
    reader = LineReader(text)
    found: list[Instruction] = []
    gaps: list[Location] = []
    while (line := _next(reader, name)) is not None:
        one = _instruction(line, reader, name)
        found.append(one)
        if line.gaps:
            gaps.append(Location(line.first, line.last))
    global_args, stages = _stages(found, name)
    return Dockerfile(
        name=name,
        source=tuple(decoded.split("\n")),
        escape=reader.directives.escape,
        syntax=reader.directives.get("syntax"),
        check=reader.directives.get("check"),
        global_args=global_args,
        stages=stages,
        gaps=tuple(gaps),
    )


def parse_trigger(text: str, *, name: str = "ONBUILD trigger", location: Location) -> Instruction:
    """One instruction, here-documents included, as ONBUILD left it in an image's config.

    `location` is that of the FROM which brings it in; the instruction and its errors carry it. Raises
    DockerfileError for text that is not one instruction, and for one that may not be a trigger.
    """
    reader = LineReader(text.encode("utf-8", "surrogateescape"))
    reader.directives.close()
    try:
        line = reader.next()
        if line is None:
            raise Complaint("file with no instructions")
        heredocs = _heredocs(line.text, reader)
        _check_text(text)
        if reader.next() is not None:
            raise Complaint("an ONBUILD trigger is one instruction")
        _check_trigger(split_command(line.text, "\\").keyword)
        return _read(line.text, location, (), heredocs, "\\")
    except Complaint as error:
        raise _located(error, name, location.first) from None


def _next(reader: LineReader, name: str) -> LogicalLine | None:
    try:
        return reader.next()
    except Complaint as error:
        raise _located(error, name, reader.line) from None


def _instruction(line: LogicalLine, reader: LineReader, name: str) -> Instruction:
    try:
        _check_text(line.text)
        heredocs = _heredocs(line.text, reader)
        for heredoc in heredocs:
            _check_text(heredoc.content)
        last = reader.line if heredocs else line.last
        location = Location(line.first, last)
        return _read(line.text, location, line.comments, heredocs, reader.directives.escape)
    except Complaint as error:
        raise _located(error, name, line.first) from None


def _located(error: Complaint, name: str, line: int) -> DockerfileError:
    return DockerfileError(error.message, name=name, line=line, suggestion=error.suggestion)


def _check_text(text: str) -> None:
    """Configs and command lines can hold neither of these."""
    if "\0" in text:
        raise Complaint("the instruction holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Complaint("the instruction is not valid UTF-8") from None


def _heredocs(text: str, reader: LineReader) -> tuple[Heredoc, ...]:
    if "<<" not in text:
        return ()
    escape = reader.directives.escape
    keyword, _, rest = split_command(text, escape)
    if keyword.upper() == "ONBUILD":
        keyword, _, rest = split_command(rest, escape)
    if keyword.upper() not in _WITH_HEREDOCS or json_array(rest) is not None:
        return ()
    return tuple(reader.body(opening) for opening in openings(text))


def _read(
    text: str, location: Location, comments: tuple[str, ...], heredocs: tuple[Heredoc, ...], escape: str
) -> Instruction:
    keyword, flags, rest = split_command(text, escape)
    request = Request(
        keyword=keyword,
        flags=flags,
        rest=rest,
        original=text.strip(SPACES),
        location=location,
        comments=comments,
        heredocs=heredocs,
        escape=escape,
    )
    if keyword.upper() == "ONBUILD":
        return _read_onbuild(request)
    read = _READERS.get(keyword.upper())
    if read is None:
        meant = nearest(keyword, _KEYWORDS, fold_case=True)
        raise Complaint(f"unknown instruction: {keyword}", suggestion=meant)
    return read(request)


def _read_onbuild(request: Request) -> Onbuild:
    if not request.rest:
        raise Complaint("ONBUILD requires at least one argument")
    read_flags(request.flags, {})
    _check_trigger(split_command(request.rest, request.escape).keyword)
    trigger = _read(request.rest, request.location, request.comments, request.heredocs, request.escape)
    bodies = "".join(f"\n{heredoc.content}{heredoc.name}" for heredoc in request.heredocs)
    return Onbuild(**request.common(), text=request.rest + bodies, trigger=trigger)


def _check_trigger(keyword: str) -> None:
    word = keyword.upper()
    if word == "ONBUILD":
        raise Complaint("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if word in ("FROM", "MAINTAINER"):
        raise Complaint(f"{word} isn't allowed as an ONBUILD trigger")


def _stages(found: list[Instruction], name: str) -> tuple[tuple[Arg, ...], tuple[Stage, ...]]:
    if not found:
        raise DockerfileError("file with no instructions", name=name)
    global_args: list[Arg] = []
    froms: list[tuple[From, list[Instruction]]] = []
    for one in found:
        if isinstance(one, From):
            froms.append((one, []))
        elif froms:
            froms[-1][1].append(one)
        elif isinstance(one, Arg):
            global_args.append(one)
        else:
            raise DockerfileError("no build stage in current context", name=name, line=one.location.first)
    if not froms:
        raise DockerfileError("dockerfile contains no stages to build", name=name)
    stages = tuple(
        Stage(from_=first, instructions=tuple(rest), index=index, name=first.name)
        for index, (first, rest) in enumerate(froms)
    )
    return tuple(global_args), stages
