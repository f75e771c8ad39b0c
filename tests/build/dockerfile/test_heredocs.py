"""Here-documents: which words open one, how it is read, and where it goes."""

from __future__ import annotations

import pytest

from millefeuille.build.dockerfile.heredoc import Heredoc
from millefeuille.build.dockerfile.heredocs import Opening, openings
from millefeuille.build.dockerfile.instructions import Add, Copy, Instruction, Onbuild, Run, ShellForm
from millefeuille.build.dockerfile.parser import parse

OPENINGS: dict[str, list[tuple[str, bool, bool, int]]] = {
    "RUN <<EOF": [("EOF", True, False, 0)],
    "RUN cat <<EOF > x": [("EOF", True, False, 0)],
    "RUN <<-EOF": [("EOF", True, True, 0)],
    "RUN 3<<EOF": [("EOF", True, False, 3)],
    "RUN << EOF": [("EOF", True, False, 0)],
    "RUN <<  EOF cat": [("EOF", True, False, 0)],
    "RUN <<- EOF": [],
    "RUN <<'EOF'": [("EOF", False, False, 0)],
    'RUN <<"EOF"': [("EOF", False, False, 0)],
    "RUN <<E'O'F": [("EOF", False, False, 0)],
    "RUN <<eo\\'f": [("eo'f", True, False, 0)],
    "RUN <<'e'o\\'f": [("eo'f", False, False, 0)],
    "RUN <<'one two'": [("one two", False, False, 0)],
    "RUN <<$EOF": [("$EOF", True, False, 0)],
    "RUN <<${EOF}": [("${EOF}", True, False, 0)],
    "RUN <<EOF\\ X": [("EOF X", True, False, 0)],
    "RUN a <<A b <<B": [("A", True, False, 0), ("B", True, False, 0)],
    "RUN <<A<<B": [],
    "RUN <<<EOF": [],
    "RUN x<<EOF": [],
    "RUN cat<<EOF": [],
    'RUN "<<EOF"': [],
    "RUN '<<EOF'": [],
    "RUN \\<<EOF": [],
    "RUN <<": [],
    "RUN <<-": [],
    "RUN <EOF": [],
    "RUN echo 'not closed <<EOF": [],
    "RUN echo $((1<<2))": [],
    # As BuildKit has it, since blanks may stand behind the two signs.
    "RUN echo $((1 << 2))": [("2))", True, False, 0)],
}


@pytest.mark.parametrize("line", OPENINGS)
def test_openings(line: str) -> None:
    assert openings(line) == tuple(Opening(*one) for one in OPENINGS[line])


def only(text: str) -> Instruction:
    (one,) = parse(("FROM x\n" + text).encode()).stages[0].instructions
    return one


def test_run_keeps_the_body_apart_from_the_text() -> None:
    one = only("RUN <<EOF cat > f\nhello $x\n# not a comment\n\\\nEOF\n")
    assert isinstance(one, Run)
    assert one.command == ShellForm("<<EOF cat > f")
    assert one.heredocs == (Heredoc(name="EOF", content="hello $x\n# not a comment\n\\\n"),)


def test_bodies_follow_in_order() -> None:
    one = only("COPY <<X <<Y /dest/\nY\nX\nX\nY\n")
    assert isinstance(one, Copy)
    assert one.sources == (Heredoc(name="X", content="Y\n"), Heredoc(name="Y", content="X\n"))
    assert one.destination == "/dest/"


@pytest.mark.parametrize(
    ("body", "content"),
    [
        ("EOF", ""),
        ("\nEOF", "\n"),
        ("a\r\nEOF\r", "a\r\n"),
        (" EOF\nEOF ", None),
        ("\tEOF\nEOF", "\tEOF\n"),
    ],
)
def test_the_end_is_a_line_equal_to_the_delimiter(body: str, content: str | None) -> None:
    if content is None:
        body, content = " EOF\nEOF \nEOF", " EOF\nEOF \n"
    one = only(f"ADD <<EOF /f\n{body}\n")
    assert isinstance(one, Add)
    assert one.sources == (Heredoc(name="EOF", content=content),)


def test_tabs_before_the_end_count_only_without_chomp() -> None:
    one = only("COPY <<-EOF /f\n\t\ta\n\t b\n\tEOF\n")
    assert isinstance(one, Copy)
    (source,) = one.sources
    assert isinstance(source, Heredoc)
    assert source.content == "\t\ta\n\t b\n"
    assert source.chomped() == "a\n b\n"


def test_a_delimiter_may_stand_apart_in_copy() -> None:
    one = only("COPY --chmod=600 << EOF a /f/\nx\nEOF\n")
    assert isinstance(one, Copy)
    assert one.sources == (Heredoc(name="EOF", content="x\n"), "a")


def test_json_form_opens_none() -> None:
    one = only('RUN ["cat", "<<EOF"]\n')
    assert isinstance(one, Run)
    assert (one.command, one.heredocs) == (("cat", "<<EOF"), ())


@pytest.mark.parametrize("keyword", ["CMD", "ENTRYPOINT", "LABEL a=", "ENV a=", "WORKDIR", "USER"])
def test_other_instructions_open_none(keyword: str) -> None:
    assert only(f"{keyword} <<EOF" if "=" not in keyword else f"{keyword}<<EOF").location == (2, 2)


def test_onbuild_keeps_bodies_in_its_text() -> None:
    one = only("ONBUILD COPY <<A <<-B /d/\na\nA\n\tb\n\tB\n")
    assert isinstance(one, Onbuild)
    assert one.text == "COPY <<A <<-B /d/\na\nA\n\tb\nB"
    assert isinstance(one.trigger, Copy)
    assert [source.name for source in one.trigger.sources if isinstance(source, Heredoc)] == ["A", "B"]
