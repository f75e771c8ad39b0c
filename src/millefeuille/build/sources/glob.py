"""Glob: the wildcards of Go's filepath.Match, which COPY's arguments and .dockerignore are written in.

`*` is any text without a slash, `?` a character but a slash, `[a-z]` one of a class, `\\` takes the next one
literally. A class may hold what it likes, the slash too.

Source: Go, path/filepath/match.go.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from millefeuille.annotations import Final, NamedTuple
from millefeuille.errors import Invalid

STAR: Final = "*"
ANY: Final = "?"


class BadPattern(Invalid):
    """A pattern is malformed."""

    def __init__(self, words: str = "syntax error in pattern") -> None:
        super().__init__(words)


class Literal(NamedTuple):
    """Characters that stand for themselves."""

    text: str


class Class(NamedTuple):
    """One character, as a regular expression says."""

    expression: str


Piece = Literal | Class | str  # the last is STAR or ANY


def pieces(pattern: str) -> list[Piece]:
    """What a pattern is made of, literal characters one by one. Raises BadPattern."""
    found: list[Piece] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            found.append(STAR)
        elif char == "?":
            found.append(ANY)
        elif char == "[":
            made, at = _class(pattern, at)
            found.append(made)
        elif char == "\\":
            if at == len(pattern):
                raise BadPattern
            found.append(Literal(pattern[at]))
            at += 1
        else:
            found.append(Literal(char))
    return found


def has_wildcards(text: str) -> bool:
    """Whether a path is a pattern; an escaped wildcard is none."""
    return re.search(r"(?:^|[^\\])(?:\\\\)*[*?\[]", text) is not None


def component(pattern: str) -> re.Pattern[str]:
    """What matches the names, of one part of a path, that `pattern` stands for. Raises BadPattern."""
    return re.compile(expression(pieces(pattern)), re.DOTALL)


def expression(found: Sequence[Piece]) -> str:
    """A regular expression for pieces, to be matched in full, that takes time in proportion to the text.

    Of what lies between two stars the first place is taken for good: the second star reaches all others. That
    holds where nothing between them can be a slash.
    """
    out: list[str] = []
    at = 0
    while at < len(found):
        piece = found[at]
        at += 1
        if piece != STAR:
            out.append(_one(piece))
            continue
        while at < len(found) and found[at] == STAR:
            at += 1
        end = at
        while end < len(found) and found[end] != STAR and not _may_be_slash(found[end]):
            end += 1
        if end < len(found) and found[end] == STAR and end > at:
            out.append(f"(?>[^/]*?{''.join(map(_one, found[at:end]))})")
            at = end
        else:
            out.append("[^/]*")
    return "".join(out)


def _one(piece: Piece) -> str:
    if isinstance(piece, Literal):
        return re.escape(piece.text)
    if isinstance(piece, Class):
        return piece.expression
    return "[^/]"


def _may_be_slash(piece: Piece) -> bool:
    return isinstance(piece, Class) or (isinstance(piece, Literal) and "/" in piece.text)


def _class(pattern: str, at: int) -> tuple[Class, int]:
    """The class that begins behind the `[` before `at`, and where it ends."""
    negated = pattern[at : at + 1] == "^"
    at += negated
    ranges: list[str] = []
    count = 0
    while not (count and pattern[at : at + 1] == "]"):
        low, at = _character(pattern, at)
        high = low
        if pattern[at] == "-":
            high, at = _character(pattern, at + 1)
        if low <= high:
            ranges.append(f"{re.escape(low)}-{re.escape(high)}")
        count += 1
    if not ranges:
        return Class("." if negated else "(?!)"), at + 1
    return Class(f"[{'^' if negated else ''}{''.join(ranges)}]"), at + 1


def _character(pattern: str, at: int) -> tuple[str, int]:
    """A character of a class, which its end must follow some time."""
    if pattern[at : at + 1] in ("", "-", "]"):
        raise BadPattern
    if pattern[at] == "\\":
        at += 1
    if at + 1 >= len(pattern):
        raise BadPattern
    return pattern[at], at + 1
