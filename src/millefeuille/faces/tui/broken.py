"""Broken lines: a long text in rows of a width, of which only what is shown is ever made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from millefeuille.annotations import Final
from millefeuille.faces.tui.line import pieces

_KEPT: Final = 1000  # lines


class BrokenLines:
    """Lines of which a long one takes several rows, from a row on that moves; sizes are in cells."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._width, self._height = 1, 1
        self._line, self._row = 0, 0  # what is shown first: a line, and the row of it
        self._made: dict[int, list[str]] = {}  # the rows of lines that were asked for lately

    def fit(self, width: int, height: int) -> None:
        """Show them in so many cells; in another width from the line on that is shown first."""
        if width != self._width:
            self._width, self._row = width, 0
            self._made.clear()
        self._height = height
        self.move(0)

    def move(self, rows: int) -> None:
        """Go down, or up, by some rows, as far as there is something."""
        while rows < 0 and (self._line or self._row):
            step = min(-rows, self._row) or 1
            self._line, self._row = self._above(self._line, self._row, step)
            rows += step
        while rows > 0 and self._line < len(self._lines):
            step = min(rows, len(self._rows(self._line)) - self._row)
            self._row += step
            rows -= step
            if self._row == len(self._rows(self._line)):
                self._line, self._row = self._line + 1, 0
        self._line, self._row = min((self._line, self._row), self._lowest())

    def to_start(self) -> None:
        """Go to the first row."""
        self._line, self._row = 0, 0

    def to_end(self) -> None:
        """Go to where the last row is shown."""
        self._line, self._row = self._lowest()

    def shown(self) -> Iterator[str]:
        """The rows from the first one shown on, as many as there are or fit."""
        left, row = self._height, self._row
        for line in range(self._line, len(self._lines)):
            found = self._rows(line)[row : row + left]
            yield from found
            left, row = left - len(found), 0
            if left <= 0:
                return

    def _rows(self, line: int) -> list[str]:
        if line not in self._made:
            if len(self._made) >= _KEPT:
                self._made.clear()
            self._made[line] = pieces(self._lines[line], self._width)
        return self._made[line]

    def _above(self, line: int, row: int, step: int) -> tuple[int, int]:
        """The place so many rows above one: of the same line, or the last one of the line before."""
        return (line, row - step) if row else (line - 1, len(self._rows(line - 1)) - 1)

    def _lowest(self) -> tuple[int, int]:
        """The lowest row that others may be shown below."""
        line, row = len(self._lines), 0
        for _ in range(self._height):
            if not line and not row:
                break
            line, row = self._above(line, row, 1)
        return line, row
