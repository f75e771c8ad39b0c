"""Whatever the bytes: a value or a DockerfileError, and in linear time."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millefeuille.build.call.outline import outline
from millefeuille.build.call.targets import targets
from millefeuille.build.call.text import outline_text
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.dockerfile import Dockerfile
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.expand import expand
from millefeuille.build.dockerfile.instructions import Location
from millefeuille.build.dockerfile.lexing import Lexing
from millefeuille.build.dockerfile.mount import read_mount
from millefeuille.build.dockerfile.parser import parse, parse_trigger
from millefeuille.build.expanded import expanded, expanded_from
from millefeuille.build.lint.facts import Around
from millefeuille.build.lint.lint import lint
from millefeuille.build.lint.text import report_text
from millefeuille.build.scope import Scope, global_scope
from millefeuille.oci.platform import Platform

COUNT = 50_000 if os.environ.get("MILLE_ALL") == "1" else 300

KEYWORDS = (
    "FROM RUN CMD LABEL MAINTAINER EXPOSE ENV ADD COPY ENTRYPOINT VOLUME USER WORKDIR ARG ONBUILD STOPSIGNAL"
    " HEALTHCHECK SHELL".split()
)
PIECES = st.sampled_from(
    [
        *KEYWORDS,
        *(" ", "  ", "\t", "\n", "\r\n", "\\\n", "\\", "`", "`\n", "#", "# escape=`\n", "# check=skip=all\n"),
        *("FROM x\n", "\nRUN ", "\nCOPY ", "\nENV ", "\nONBUILD ", "\nARG ", "\nEXPOSE ", "\nHEALTHCHECK "),
        *("'", '"', "$", "${", "}", "${a:-", "${a#", "${a%%*", "${a/", "/", ":", "?", "+", "-", "*", "="),
        *("<<", "<<-", "<<EOF", "<<'EOF'", "EOF", "\nEOF\n", "3<<", "<"),
        *("--", "--from=", "--mount=", "type=cache,", "target=/a", "--link", "--interval=", "1s", "--x"),
        *("[", "]", '["', '", "', '"]', ",", "{", "a", "b c", "80", "/tcp", "a=b", "x AS y", "CMD", "NONE"),
        *("\0", "\x85", "\u2028", "é", "\udcff", "\ufeff"),
    ]
)
TEXTS = st.one_of(
    st.binary(max_size=200),
    st.lists(PIECES, max_size=30).map(lambda parts: "".join(parts).encode("utf-8", "surrogateescape")),
    st.lists(PIECES, max_size=30).map(
        lambda parts: b"FROM x\n" + "".join(parts).encode("utf-8", "surrogateescape")
    ),
)


@settings(max_examples=COUNT)
@given(TEXTS)
def test_parsing_gives_a_value_or_an_error(text: bytes) -> None:
    lines = text.count(b"\n") + 1
    try:
        parsed = parse(text)
        scope = global_scope(parsed, {"a": "x y"}, {"TARGETOS": "linux"})
    except DockerfileError as error:
        assert 0 <= error.line <= lines
        return
    assert parsed.stages
    _checked(parsed, scope)
    for stage in parsed.stages:
        inner = scope.stage([("PATH", "/bin")])
        for one in (stage.from_, *stage.instructions):
            assert 1 <= one.location.first <= one.location.last <= lines
            assert one.original
        for one in stage.instructions:
            try:
                expanded(one, inner)
                expanded_from(stage.from_, scope)
            except DockerfileError as error:
                assert error.line in (one.location.first, stage.from_.location.first)


def _checked(parsed: Dockerfile, scope: Scope) -> None:
    around = Around(build_args={}, predefined={}, target=Platform(os="linux", architecture="amd64"))
    try:
        report = lint(parsed, around)
        assert report_text(report, parsed).count("WARNING: ") >= len(report.warnings)
        for index in range(len(parsed.stages)):
            assert outline_text(outline(parsed, scope, index)) is not None
    except DockerfileError:
        pass
    assert len(targets(parsed)) == len(parsed.stages)


@settings(max_examples=COUNT)
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=20).map("".join)), st.sampled_from("\\`"))
def test_expansion_gives_a_value_or_a_complaint(text: str, escape: str) -> None:
    for lexing in (Lexing(escape=escape), Lexing(escape=escape, skip_quotes=True), Lexing(raw_quotes=True)):
        try:
            found = expand(text, {"a": "b*c /d", "empty": ""}, lexing)
        except Complaint as error:
            assert error.message.startswith("failed to process")
        else:
            assert "".join(found.words) == "" or found.text


@settings(max_examples=COUNT)
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=15).map("".join)))
def test_mounts_and_triggers_give_a_value_or_an_error(text: str) -> None:
    try:
        read_mount(text, str)
    except Complaint:
        pass
    try:
        parse_trigger(text.encode("utf-8", "replace").decode(), location=Location(3, 3))
    except DockerfileError as error:
        assert error.line == 3


@given(st.text(max_size=40))
def test_text_without_special_characters_stays(text: str) -> None:
    plain = "".join(char for char in text if char not in "\\'\"$")
    assert expand(plain, {}).text == plain


REPEATED = [
    b"\n", b"#\n", b"# a = b\n", b"RUN a\n", b"RUN a \\\n", b"ENV a='b'\n", b"COPY <<A /a\nA\n",
    b"ENV ", b"a=b ", b"'", b'"', b"\\",
    b"`", b"$", b"${a", b"${a:-", b"<", b"<<", b"<<A ", b"[", b"{", b"--a=b ",
    b"--mount=a=b,", b"RUN --mount=type=tmpfs,target=/a ", b" ", b"\t", b"\r", b"80 ", b"ONBUILD ", b"\xff",
    b"\0", b"\\\n", b"'a' ", b'"a" ', b"${a/", b"${a//*a*", b"a,", b'"a",', b"x",
]  # fmt: skip
HEADS = [
    b"", b"FROM x\nRUN ", b"FROM x\nENV a=", b"FROM x\nCOPY ", b"FROM x\nCMD [", b"FROM x\nRUN --mount=",
]  # fmt: skip


@pytest.mark.parametrize("piece", REPEATED)
def test_long_repetitions_are_read(piece: bytes) -> None:
    """With time quadratic in the length, this would take minutes."""
    size = 1 << 18 if os.environ.get("MILLE_ALL") == "1" else 1 << 15
    for head in HEADS:
        text = head + piece * (size // len(piece))
        try:
            parse(text)
        except DockerfileError:
            pass
        try:
            expand(text.decode("latin-1"), {"a": "a" * 1000})
        except Complaint:
            pass


def test_a_here_document_of_many_lines() -> None:
    text = b"FROM x\nRUN " + b"<<A " * 1000 + b"\n" + b"A\n" * 1000
    (one,) = parse(text).stages[0].instructions
    assert one.location == (2, 1002)
