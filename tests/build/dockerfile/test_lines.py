"""From bytes to logical lines: directives, comments, continuations, the lines that instructions stand in."""

from __future__ import annotations

import pytest

from millefeuille.build.dockerfile.dockerfile import Dockerfile
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.instructions import Location, Run, ShellForm
from millefeuille.build.dockerfile.parser import parse


def runs(text: bytes) -> list[str]:
    """The texts of the RUNs of the only stage."""
    found = []
    for one in parse(text).stages[0].instructions:
        assert isinstance(one, Run)
        assert isinstance(one.command, ShellForm)
        found.append(one.command.text)
    return found


CONTINUED = {
    "plain": (b"RUN a \\\n  b", ["a   b"]),
    "nothing between": (b"RUN a\\\nb", ["ab"]),
    "blanks behind it": (b"RUN a \\ \t\nb", ["a b"]),
    "comment within": (b"RUN a \\\n# no\n  # nor this\nb", ["a b"]),
    "comment that ends with it": (b"RUN a \\\n# no \\\nb", ["a b"]),
    "empty line within": (b"RUN a \\\n\n  \nb", ["a b"]),
    "two are none": (b"RUN a \\\\\nRUN b", ["a \\\\", "b"]),
    "three are none": (b"RUN a \\\\\\\nRUN b", ["a \\\\\\", "b"]),
    "alone in a line": (b"RUN a \\\n\\\nb", ["a b"]),
    "first in the file": (b"\\\nRUN a", ["a"]),
    "at the end of the file": (b"RUN a \\", ["a"]),
    "at the end, and empty lines": (b"RUN a \\\n\n\n", ["a"]),
    "carriage returns": (b"RUN a \\\r\n  b\r\nRUN c\r\n", ["a   b", "c"]),
    "white space before an instruction": (b"  \t RUN a", ["a"]),
    "not before a blank word": (b"RUN a \\ b", ["a \\ b"]),
    "line separator of Unicode is no end": ("RUN a\u2028b".encode(), ["a\u2028b"]),
    "form feed is no end": (b"RUN a\x0cb", ["a\x0cb"]),
}


@pytest.mark.parametrize("case", CONTINUED)
def test_continuation(case: str) -> None:
    text, expected = CONTINUED[case]
    assert runs(b"FROM x\n" + text) == expected


def test_the_other_escape_character_continues() -> None:
    assert runs(b"# escape=`\nFROM x\nRUN a `\n b\\\nRUN c") == ["a  b\\", "c"]


def test_original_is_the_logical_line() -> None:
    one = parse(b"FROM x\n  run  a \\\n  b  \n").stages[0].instructions[0]
    assert (one.original, one.keyword, one.location) == ("run  a   b", "run", Location(2, 3))


LOCATIONS = {
    "one line": (b"FROM x\nRUN a\n", (2, 2)),
    "continued": (b"FROM x\nRUN a \\\n b \\\n c\n", (2, 4)),
    "with a comment": (b"FROM x\n\n# c\nRUN a \\\n# d\n b\n", (4, 6)),
    "here-document": (b"FROM x\nRUN <<A\nq\nr\nA\nRUN z", (2, 5)),
    "two here-documents": (b"FROM x\nRUN cat <<A <<B\nq\nA\nr\nB", (2, 6)),
    "carriage returns": (b"FROM x\r\nRUN a \\\r\n b\r\n", (2, 3)),
    "no newline at the end": (b"FROM x\nRUN a \\\nb", (2, 3)),
}


@pytest.mark.parametrize("case", LOCATIONS)
def test_location(case: str) -> None:
    text, lines = LOCATIONS[case]
    assert parse(text).stages[0].instructions[0].location == lines


COMMENTS = {
    "above": (b"# one\n# two\nRUN a", ("one", "two")),
    "empty comment between": (b"# one\n#\n# two\nRUN a", ("two",)),
    "empty line between": (b"# one\n\n# two\nRUN a", ("two",)),
    "empty line below": (b"# one\n\nRUN a", ()),
    "of the instruction before": (b"# one\nRUN b\nRUN a", ()),
    "white space": (b"  #   one  \nRUN a", ("one",)),
    "within": (b"# one\nRUN a \\\n# two\nb", ("one",)),
    "not valid UTF-8": (b"# \xe9t\xe9\nRUN a", ("�t�",)),
}


@pytest.mark.parametrize("case", COMMENTS)
def test_comments(case: str) -> None:
    text, expected = COMMENTS[case]
    assert parse(b"FROM x\n" + text).stages[0].instructions[-1].comments == expected


def test_directives_are_no_comments() -> None:
    first = parse(b"# syntax=docker/dockerfile:1\n# text\nFROM x").stages[0].from_
    assert first.comments == ("text",)


DIRECTIVES = {
    "none": (b"FROM x", ("\\", "", "")),
    "all three": (
        b"#syntax=docker/dockerfile:1\n# ESCAPE = `\n#  check=skip=all\nFROM x",
        ("`", "docker/dockerfile:1", "skip=all"),
    ),
    "white space before": (b"   # escape=`\nFROM x", ("`", "", "")),
    "byte order mark": (b"\xef\xbb\xbf# escape=`\nFROM x", ("`", "", "")),
    "after a comment": (b"# hello\n# escape=`\nFROM x", ("\\", "", "")),
    "after an empty line": (b"\n# escape=`\nFROM x", ("\\", "", "")),
    "after an instruction": (b"FROM x\n# escape=`", ("\\", "", "")),
    "after one that is unknown": (b"# size=1\n# escape=`\nFROM x", ("\\", "", "")),
    "without a value": (b"# escape=\nFROM x", ("\\", "", "")),
    "carriage return": (b"# escape=`\r\nFROM x\r\n", ("`", "", "")),
    "repeated where it is a comment": (b"# escape=`\n\n# escape=`\nFROM x", ("`", "", "")),
    "another form of comment": (b"// escape=`", ("\\", "", "")),
}


def _read(parsed: Dockerfile) -> tuple[str, str, str]:
    return (parsed.escape, parsed.syntax.value, parsed.check.value)


@pytest.mark.parametrize("case", [case for case in DIRECTIVES if case != "another form of comment"])
def test_directives(case: str) -> None:
    text, expected = DIRECTIVES[case]
    assert _read(parse(text)) == expected


OUR_FRONTENDS = [
    "docker/dockerfile",
    "docker/dockerfile:1",
    "docker/dockerfile:1.26.0",
    "docker/dockerfile:1-labs",
    "docker/dockerfile-upstream:master",
    "docker.io/docker/dockerfile:1",
    "docker/dockerfile:1@sha256:" + "0" * 64,
    "docker/dockerfile:1 with words",
]


@pytest.mark.parametrize("name", OUR_FRONTENDS)
def test_frontends_that_are_ours(name: str) -> None:
    assert parse(f"# syntax={name}\nFROM x".encode()).syntax.value == name
    assert parse(b"FROM x", syntax=name).stages


FOREIGN = {
    "directive": (b"# syntax=example.com/other:1\nFROM x", "Dockerfile:1"),
    "second line": (b"# escape=`\n# syntax=example.com/other:1\nFROM x", "Dockerfile:2"),
    "below a shebang": (b"#!/usr/bin/env x\n# syntax=example.com/other:1\nFROM x", "Dockerfile:2"),
    "slashes": (b"// syntax=example.com/other:1\nwhatever", "Dockerfile:1"),
    "json": (b'{"syntax": "example.com/other:1"}', "Dockerfile:1"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_foreign_frontend_is_an_error_that_names_it(case: str) -> None:
    text, place = FOREIGN[case]
    with pytest.raises(DockerfileError) as caught:
        parse(text)
    assert str(caught.value).startswith(f"{place}: the frontend example.com/other:1 is not supported")


def test_the_build_argument_wins_over_the_directive() -> None:
    foreign = b"# syntax=example.com/other:1\nFROM x"
    assert parse(foreign, syntax="docker/dockerfile:1").stages
    assert parse(foreign, syntax="dockerfile.v0").stages
    with pytest.raises(DockerfileError, match=r"^Dockerfile: the frontend tonistiigi/x is not"):
        parse(b"FROM x", syntax="tonistiigi/x")


def test_gaps_are_remembered() -> None:
    parsed = parse(b"FROM x\nRUN a \\\n\n b\nRUN c \\\n d\n")
    assert parsed.gaps == (Location(2, 4),)


def test_stages() -> None:
    parsed = parse(b"ARG A=1\nARG B\nFROM x AS One\nRUN a\nFROM one\nARG C\nRUN b\n")
    assert [pair.name for arg in parsed.global_args for pair in arg.pairs] == ["A", "B"]
    assert [(stage.name, stage.index, stage.shown) for stage in parsed.stages] == [
        ("one", 0, "one"),
        (None, 1, "stage-1"),
    ]
    assert [len(stage.instructions) for stage in parsed.stages] == [1, 2]


def test_the_name_of_the_file_is_in_the_message() -> None:
    with pytest.raises(DockerfileError) as caught:
        parse(b"FROM x\nRUNN a", name="docker/api.Dockerfile")
    error = caught.value
    assert str(error) == "docker/api.Dockerfile:2: unknown instruction: RUNN (did you mean RUN?)"
    assert (error.message, error.line, error.suggestion) == ("unknown instruction: RUNN", 2, "RUN")
