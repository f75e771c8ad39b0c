"""Tables. The texts were printed by the docker CLI; test_listing has more of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.docker.ellipsis import ellipsis
from millefeuille.docker.table import align, align_text, table, width


def test_columns_are_ten_wide_at_least() -> None:
    assert table(["NAME", "DESCRIPTION", "STARS"], [["busybox", "x", "5"], ["x/y", "", "0"]]) == (
        "NAME      DESCRIPTION   STARS\nbusybox   x             5\nx/y                     0\n"
    )


def test_the_last_cell_is_not_padded() -> None:
    assert table(["A", "B"], [["long enough to widen", ""]]) == (
        "A                      B\nlong enough to widen   \n"
    )


def test_a_newline_in_a_cell_starts_another_line() -> None:
    assert table(["IMAGE", "CREATED BY", "SIZE"], [["abababababab", "a\nb", "1kB"]]) == (
        "IMAGE          CREATED BY   SIZE\nabababababab   a\nb              1kB\n"
    )


def test_columns_end_where_a_line_has_no_cell() -> None:
    assert align([["a", "b"], ["c"], ["wide wide wide", "d"]]) == "a         b\nc\nwide wide wide   d\n"
    assert align_text("a\tb\n\nc\td") == "a         b\n\nc         d"
    assert align_text("") == ""
    assert align_text("\t" * 5000) == " " * 50_000


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("é", 1), ("e\u0301", 1), ("日本", 4), ("…", 1), ("\U0001f600", 2), ("\u200b", 0),
     ("\x1b[1m", 3), ("\U0001f468\u200d\U0001f469\u200d\U0001f467", 2), ("\U0001f1eb\U0001f1f7", 1), ("", 0)],
)  # fmt: skip
def test_widths(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(
    ("text", "columns", "cut"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 5, "日本…"), ("日本語", 6, "日本語"),
     ("日本語", 4, "日…"), ("abc", 1, "a"), ("abc", 0, ""), ("", 5, "")],
)  # fmt: skip
def test_cutting(text: str, columns: int, cut: str) -> None:
    assert ellipsis(text, columns) == cut


@given(st.text(max_size=20), st.integers(2, 12))
def test_what_is_cut_fits(text: str, columns: int) -> None:
    assert width(ellipsis(text, columns)) <= columns


_CELL = st.text("ab é日", max_size=12)


def _rows(size: int) -> st.SearchStrategy[list[list[str]]]:
    return st.lists(st.lists(_CELL, min_size=size, max_size=size), min_size=1, max_size=6)


@given(st.integers(1, 4).flatmap(_rows))
def test_cells_of_a_column_start_at_the_same_place(rows: list[list[str]]) -> None:
    lines = align(rows).splitlines()
    assert len(lines) == len(rows)
    start = 0
    for column in range(len(rows[0])):
        widest = max(width(row[column]) for row in rows)
        for line, row in zip(lines, rows, strict=True):
            before = next(n for n in range(len(line) + 1) if width(line[:n]) >= start)
            assert line[before:].startswith(row[column])
        start += max(10, widest + 3)
