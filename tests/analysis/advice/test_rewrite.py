"""Edits of a Dockerfile: what they change, and that they leave the rest alone."""

from __future__ import annotations

import pytest

from millefeuille.analysis.advice.edits import (
    AddFlag,
    DropCommands,
    Edit,
    Ignore,
    Insert,
    Join,
    Move,
    Prefix,
    Recast,
    Remove,
    Retarget,
)
from millefeuille.analysis.advice.rewrite import rewrite
from millefeuille.analysis.advice.step import read_step

SOURCE = (
    "# syntax=docker/dockerfile:1", "FROM base", "", "# the sources", "COPY   . /app",
    "RUN  a && \\", "    chown b c",
    "ENV x=y", "RUN rm z", "# the end", "",
)  # fmt: skip
SCRIPT = (
    read_step("FROM base", first=2, last=2), read_step("COPY   . /app", first=5, last=5),
    read_step("RUN  a && chown b c", first=6, last=7), read_step("ENV x=y", first=8, last=8),
    read_step("RUN rm z", first=9, last=9),
)  # fmt: skip


def _text(*edits: Edit) -> list[str]:
    return rewrite(SCRIPT, edits, SOURCE).text.splitlines()


def test_without_edits_nothing_changes() -> None:
    assert _text() == list(SOURCE[:-1])


def test_a_flag_is_added_once() -> None:
    flag = AddFlag(1, "--chown=1:2")
    assert _text(flag, flag) == [*SOURCE[:4], "COPY --chown=1:2 . /app", *SOURCE[5:-1]]


def test_commands_are_dropped_and_an_empty_run_goes() -> None:
    assert _text(DropCommands(2, ("chown b c",))) == [*SOURCE[:5], "RUN a", *SOURCE[7:-1]]
    assert _text(DropCommands(4, ("rm z",))) == [*SOURCE[:8], "# the end"]


def test_runs_are_joined_where_the_last_one_stands() -> None:
    joined = ["RUN a && chown b c && \\", "    rm z"]
    assert _text(Join((2, 4))) == [*SOURCE[:5], "ENV x=y", *joined, "# the end"]


def test_flags_of_joined_runs_are_kept() -> None:
    text = _text(AddFlag(2, "--mount=type=cache,target=/c"), Join((2, 4)))
    assert "RUN --mount=type=cache,target=/c a && chown b c && \\" in text


def test_instructions_come_go_and_move() -> None:
    assert _text(Remove(1)) == [*SOURCE[:4], *SOURCE[5:-1]]
    assert _text(Insert(1, "COPY req.txt /app/")) == [*SOURCE[:4], "COPY req.txt /app/", *SOURCE[4:-1]]
    assert _text(Move(1, (3,))) == [
        *SOURCE[:2], *SOURCE[5:8], "", "# the sources", "COPY   . /app", *SOURCE[8:-1]
    ]  # fmt: skip


def test_a_move_goes_behind_what_is_left() -> None:
    assert _text(Remove(4), Move(1, (3, 4))) == _text(Remove(4), Move(1, (3,)))
    assert _text(Remove(4), Move(1, (4,))) == _text(Remove(4))


def test_nothing_is_moved_to_the_front() -> None:
    assert _text(Move(3, (1,))) == _text()


def test_what_is_gone_is_not_edited() -> None:
    assert _text(Remove(1), AddFlag(1, "--link"), Move(1, (3,))) == _text(Remove(1))


def test_a_history_without_a_dockerfile_is_rewritten_too() -> None:
    found = rewrite(SCRIPT, [Ignore("**/x"), Remove(3)])
    assert found.text.splitlines() == ["FROM base", "COPY . /app", "RUN a && chown b c", "RUN rm z"]
    assert found.ignored == ("**/x",)


def test_a_here_document_stays_whole() -> None:
    source = ("FROM base", "RUN <<EOF", "pip install x", "EOF", "")
    script = (
        read_step("FROM base", first=1, last=1), read_step("RUN <<EOF", first=2, last=4, fixed=True)
    )  # fmt: skip
    text = rewrite(script, [AddFlag(1, "--mount=type=cache,target=/c")], source).text
    assert text == "FROM base\nRUN --mount=type=cache,target=/c <<EOF\npip install x\nEOF\n"


def test_a_row_can_stand_where_its_first_run_does_and_go_to_other_directories() -> None:
    joined = ["RUN a && chown b c && \\", "    (cd /y && rm z)"]
    edit = Join((2, 4), ("", "cd /y"), early=True)
    assert _text(edit) == [*SOURCE[:5], *joined, "ENV x=y", "# the end"]


def test_a_copy_becomes_a_run_of_its_row() -> None:
    text = _text(Recast(1, "--mount=type=bind,target=/m", "cp -RP /m/. /app"), Join((1, 2)))
    joined = ["RUN --mount=type=bind,target=/m cp -RP /m/. /app && \\", "    a && chown b c"]
    assert text == [*SOURCE[:4], *joined, *SOURCE[7:-1]]


def test_lines_that_go_on_end_as_the_others_of_the_file() -> None:
    text = rewrite(SCRIPT, [Join((2, 4))], SOURCE, "`").text
    assert "RUN a && chown b c && `\n    rm z\n" in text


def test_here_documents_lists_and_comments_are_joined() -> None:
    script = (
        read_step("FROM base"), read_step("RUN <<EOF", fixed=True, script="cd /x\nmake"),
        read_step('RUN ["rm", "-r", "/x y"]'), read_step("RUN echo # done"),
        read_step("RUN sh <<EOF", fixed=True, script="sh <<EOF\nls\nEOF"),
    )  # fmt: skip
    text = rewrite(script, [Join((1, 2, 3, 4))]).text
    assert text.splitlines() == [
        "FROM base", "RUN <<END", "(", "cd /x", "make", ") && \\", "    rm -r '/x y' && \\", "    (",
        "echo # done", ") && \\", "    (", "sh <<EOF", "ls", "EOF", ")", "END",
    ]  # fmt: skip


GONE, JOINED, DROPPED = Remove(1), Join((2, 4)), DropCommands(2, ("a",))


@pytest.mark.parametrize(("edits", "unmade"), [
    ((GONE, Remove(1), AddFlag(1, "--link"), DropCommands(1, ("a",)), Prefix(1, "a")), ()),
    ((GONE, Move(1, (3,))), (1,)),
    ((GONE, Insert(1, "RUN a")), (1,)),
    ((GONE, Retarget(1, "a b")), (1,)),
    ((GONE, Recast(1, "--x", "a b")), (1,)),
    ((Remove(4), Move(1, (4,))), (1,)),
    ((Remove(4), Move(1, (3, 4))), ()),
    ((JOINED, Insert(2, "RUN a"), AddFlag(2, "--x"), Move(1, (2,))), ()),
    ((JOINED, DROPPED, Prefix(2, "a"), Remove(2)), (1, 2, 3)),
    ((JOINED, DropCommands(4, ("a",))), ()),
    ((DROPPED, DROPPED), ()),
    ((DROPPED, DropCommands(2, ("a",), "b")), (1,)),
    ((DropCommands(2, ("a",), "b"), DropCommands(2, ("a",), "c")), (1,)),
    ((DropCommands(2, ("z",)), Ignore("x")), (0,)),
])  # fmt: skip
def test_edits_that_find_nothing_are_told(edits: tuple[Edit, ...], unmade: tuple[int, ...]) -> None:
    assert rewrite(SCRIPT, edits, SOURCE).unmade == unmade
