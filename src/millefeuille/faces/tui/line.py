"""Lines of text with looks, as the analyser draws them, whatever puts them on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, chop_cells, set_cell_size

from millefeuille.annotations import Final, NamedTuple

# Each look: the SGR codes of a terminal, and the same as a style of rich.
LOOKS: Final = {
    "plain": ("0", ""),
    "dim": ("2", "dim"),
    "title": ("1", "bold"),
    "focus": ("1;36", "bold cyan"),
    "key": ("1;35", "bold magenta"),
    "added": ("32", "green"),
    "modified": ("33", "yellow"),
    "metadata": ("33;2", "yellow dim"),
    "type": ("35", "magenta"),
    "removed": ("31", "red"),
    "unchanged": ("0", ""),
    "selected": ("7", "reverse"),
    "compared": ("1;32", "bold green"),
    "below": ("1;33", "bold yellow"),
}

_COLOURS: Final = frozenset(map(str, range(30, 38)))
_WITH: Final = {look: code for look, (code, _) in LOOKS.items()}
_WITHOUT: Final = {
    look: ";".join(one for one in code.split(";") if one not in _COLOURS) or "0"
    for look, code in _WITH.items()
}  # fmt: skip


class Span(NamedTuple):
    """Some characters that look alike; `look` is one of LOOKS."""

    text: str
    look: str = "plain"


Line = Sequence[Span]


def fitted(line: Iterable[Span], width: int, *, selected: bool = False) -> list[Span]:
    """The line cut or filled to so many cells; a selected one is shown in reverse."""
    found: list[Span] = []
    left = width
    for text, look in line:
        if left <= 0:
            break
        size = len(text) if text.isascii() else cell_len(text)
        if size > left:
            text, size = set_cell_size(text, left), left
        found.append(Span(text, "selected" if selected else look))
        left -= size
    if left > 0:
        found.append(Span(" " * left, "selected" if selected else "plain"))
    return found


def wrapped(text: str, width: int, look: str = "plain") -> list[Line]:
    """A text on as many lines as it takes, broken anywhere."""
    return [[Span(piece, look)] for piece in pieces(text, width)]


def pieces(text: str, width: int) -> list[str]:
    """A text in pieces of so many cells at most; a character that is wider is one of its own."""
    width = max(width, 1)
    if text.isascii():
        return [text[at : at + width] for at in range(0, len(text), width)] or [""]
    return [piece for piece in chop_cells(text, width) if piece] or [""]


def printed(lines: Iterable[Line], *, colours: bool = True) -> str:
    """What puts these lines on a terminal, from its upper left corner."""
    codes = _WITH if colours else _WITHOUT
    rows = ("".join(f"\x1b[{codes[look]}m{text}\x1b[0m" for text, look in line) for line in lines)
    return "\x1b[H" + "\r\n".join(rows)
