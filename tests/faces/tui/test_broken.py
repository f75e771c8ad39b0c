"""Long texts in rows."""

from __future__ import annotations

import pytest

from millefeuille.faces.tui import broken
from millefeuille.faces.tui.broken import BrokenLines
from millefeuille.faces.tui.line import pieces

LINES = ["one", "abcdefghij" * 3, "", "\u4e2d\u6587" * 7, "last"]


def _shown(lines: BrokenLines) -> list[str]:
    return list(lines.shown())


@pytest.mark.parametrize("width", [1, 4, 7, 80])
@pytest.mark.parametrize("height", [0, 1, 3, 100])
@pytest.mark.parametrize("moves", [(1,) * 60, (3, -1) * 40, (100, -1, -1, -7, 2, -100), (-1, 5, 5, -8)])
def test_rows_are_those_of_all_lines(width: int, height: int, moves: tuple[int, ...]) -> None:
    rows = [piece for line in LINES for piece in pieces(line, width)]
    lowest, at = max(len(rows) - height, 0), 0
    lines = BrokenLines(LINES)
    lines.fit(width, height)
    for move in moves:
        lines.move(move)
        at = min(max(at + move, 0), lowest)
        assert _shown(lines) == rows[at : at + height]
    lines.to_end()
    assert _shown(lines) == rows[lowest : lowest + height]
    lines.to_start()
    assert _shown(lines) == rows[:height]


def test_another_width_begins_at_the_same_line_and_another_height_at_the_same_row() -> None:
    lines = BrokenLines(LINES)
    lines.fit(10, 3)
    lines.move(2)
    lines.fit(10, 2)
    assert _shown(lines) == ["abcdefghij"] * 2
    lines.fit(15, 2)
    assert _shown(lines) == ["abcdefghijabcde", "fghijabcdefghij"]


def test_no_lines() -> None:
    lines = BrokenLines([])
    lines.fit(10, 3)
    lines.move(1)
    lines.to_end()
    lines.move(-1)
    assert _shown(lines) == []


def test_of_many_lines_few_are_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    broken_ones = []

    def counted(text: str, width: int) -> list[str]:
        broken_ones.append(text)
        return pieces(text, width)

    monkeypatch.setattr(broken, "pieces", counted)
    lines = BrokenLines(["l"] * 2_000_000)
    for width in (80, 60):
        lines.fit(width, 24)
        lines.to_end()
        lines.move(-22)
        assert len(_shown(lines)) == 24
    assert len(broken_ones) < 1000
