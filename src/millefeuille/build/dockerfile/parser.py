"""A Dockerfile's bytes made stages of instructions."""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.build.dockerfile.arguments import json_array
from millefeuille.build.dockerfile.command import split_command
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.directives import SyntaxComplaint, check_syntax
from millefeuille.build.dockerfile.dockerfile import Dockerfile, Stage
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.heredoc import Heredoc
from millefeuille.build.dockerfile.heredocs import openings
from millefeuille.build.dockerfile.instructions import Arg, From, Instruction, Location
from millefeuille.build.dockerfile.lines import LineReader, LogicalLine
from millefeuille.build.dockerfile.reading import check_trigger, read_instruction

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
    found = [(line.gaps, parse_line(line, reader, name)) for line in _logical_lines(reader, name)]
    global_args, stages = _stages([one for _, one in found], name)
    return Dockerfile(
        name=name,
        source=tuple(decoded.split("\n")),
        escape=reader.directives.escape,
        syntax=reader.directives.get("syntax"),
        check=reader.directives.get("check"),
        global_args=global_args,
        stages=stages,
        gaps=tuple(one.location for gaps, one in found if gaps),
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
        check_trigger(split_command(line.text, "\\").name)
        return read_instruction(line.text, location, (), heredocs, "\\")
    except Complaint as error:
        raise _located(error, name, location.first) from None


def _logical_lines(reader: LineReader, name: str) -> Iterator[LogicalLine]:
    """The reader's lines; between two, whoever takes them may read the bodies of here-documents."""
    while True:
        try:
            line = reader.next()
        except Complaint as error:
            raise _located(error, name, reader.line) from None
        if line is None:
            return
        yield line


def parse_line(line: LogicalLine, reader: LineReader, name: str) -> Instruction:
    """The instruction in a line that `reader` just gave, with the here-documents behind it, which are read.

    Raises DockerfileError, with the line.
    """
    try:
        _check_text(line.text)
        heredocs = _heredocs(line.text, reader)
        for heredoc in heredocs:
            _check_text(heredoc.content)
        last = reader.line if heredocs else line.last
        location = Location(line.first, last)
        return read_instruction(line.text, location, line.comments, heredocs, reader.directives.escape)
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
    command = split_command(text, escape)
    if command.name == "ONBUILD":
        command = split_command(command.rest, escape)
    if command.name not in _WITH_HEREDOCS or json_array(command.rest) is not None:
        return ()
    return tuple(reader.body(opening) for opening in openings(text))


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
