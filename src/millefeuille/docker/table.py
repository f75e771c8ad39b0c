"""Columns of text, aligned as Docker aligns them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from unicodedata import category, east_asian_width

_MINIMUM_WIDTH = 10
_PADDING = 3
_JOINER = "\u200d"
_WITHOUT_WIDTH = ("Mn", "Me", "Cf", "Cc", "Zl", "Zp")


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A header line and one line for each row, ending with a newline.

    Tabs and newlines in a cell start a new cell or line, as they do for Docker.
    """
    return align_text("".join(f"{chr(9).join(cells)}\n" for cells in (headers, *rows)))


def align(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells as text, each ending with a newline.

    A column is a run of neighbouring lines that have a cell there which is not their last; it is at least
    10 wide, with 3 spaces after its longest cell. The last cell of a line is never padded.
    Source: Go's text/tabwriter with the settings of Docker's formatter.
    """
    widths = _widths(lines)
    return "".join(_line(cells, width) for cells, width in zip(lines, widths, strict=True))


def align_text(text: str) -> str:
    """Text whose cells are ended by tabs, aligned; an unfinished last line stays so."""
    lines = [line.split("\t") for line in text.split("\n")]
    return align(lines)[:-1]


def width(text: str) -> int:
    """How many columns of a terminal `text` takes.

    Wide East Asian letters take two, marks and control characters none, joined emoji no more than the first.
    """
    if text.isascii() and text.isprintable():
        return len(text)
    total = 0
    previous = ""
    for letter in text:
        if previous == _JOINER or (_is_flag(previous) and _is_flag(letter)):
            previous = ""
            continue
        total += _letter_width(letter)
        previous = letter
    return total


def _letter_width(letter: str) -> int:
    if category(letter) in _WITHOUT_WIDTH or "\u1161" <= letter <= "\u11ff":
        return 0
    return 2 if east_asian_width(letter) in "WF" else 1


def _is_flag(letter: str) -> bool:
    """Two regional indicators make one flag."""
    return "\U0001f1e6" <= letter <= "\U0001f1ff"


def _widths(lines: Sequence[Sequence[str]]) -> list[list[int]]:
    """The widths of the columns of each line, but for its last cell."""
    widths: list[list[int]] = [[] for _ in lines]
    for column in range(max(map(len, lines), default=0) - 1):
        for block in _blocks(lines, column):
            widest = max(width(lines[place][column]) for place in block) + _PADDING
            for place in block:
                widths[place].append(max(widest, _MINIMUM_WIDTH))
    return widths


def _blocks(lines: Sequence[Sequence[str]], column: int) -> Iterator[range]:
    """The runs of lines that have a cell in `column` which is not their last."""
    start = 0
    for place, cells in enumerate(lines):
        if column >= len(cells) - 1:
            if start < place:
                yield range(start, place)
            start = place + 1
    if start < len(lines):
        yield range(start, len(lines))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell + " " * (wide - width(cell)) for cell, wide in zip(cells, widths, strict=False)]
    return "".join([*padded, *cells[len(widths) :]]) + "\n"
