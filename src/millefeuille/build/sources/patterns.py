"""Patterns: those of .dockerignore and --exclude, each compiled to the cheapest test that it allows.

As in filepath.Match, and `**` is any number of directories, or at the end anything at all.

Source: moby, patternmatcher. One difference: the last of the patterns that match decides even where an
earlier one has decided the same for a directory above; patternmatcher forgets such a pattern below it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from millefeuille.annotations import Final
from millefeuille.build.sources.glob import STAR, Class, Literal, Piece, expression, pieces

_DEEP: Final = "(?:.*/)?"  # any number of directories
_REST: Final = ".*"


class Pattern:
    """One pattern, by what it tests for.

    `exact` are paths, `names` last parts of paths, `prefix` and `suffix` their beginning and end; None where
    it takes the regular expression. `base` is the directory that everything it matches is in, or is.
    """

    __slots__ = ("base", "exact", "expression", "names", "prefix", "suffix")

    def __init__(self, text: str) -> None:
        """Compile a cleaned pattern. Raises BadPattern."""
        found = pieces(text)
        self.exact: frozenset[str] = frozenset()
        self.names: frozenset[str] = frozenset()
        self.prefix: str | None = None
        self.suffix: str | None = None
        self.expression: str | None = None
        self.base = _base(found)
        literal = _literal(found)
        if literal is not None:
            self.exact = frozenset((literal,))
        elif found[-2:] == [STAR, STAR] and (head := _literal(found[:-2])) is not None:
            self.prefix = head
        elif found[:2] == [STAR, STAR] and (tail := _literal(found[2:])) is not None:
            self._set_tail(tail)
        elif found[:4] == [STAR, STAR, Literal("/"), STAR] and _is_plain(end := _literal(found[4:])):
            self.suffix = end
        else:
            self.expression = _expression(found)

    def _set_tail(self, tail: str) -> None:
        if not tail.startswith("/"):
            self.suffix = tail
        elif "/" in tail[1:]:
            self.exact, self.suffix = frozenset((tail[1:],)), tail
        else:
            self.names = frozenset((tail[1:],))


class AnyOf:
    """Patterns of which it is enough that one matches."""

    __slots__ = ("bases", "matches")

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        taken = list(patterns)
        self.bases = [pattern.base for pattern in taken]
        self.matches: Callable[[str], object] = _test(taken)  # whether a path, by itself, is matched

    def may_match_below(self, directory: str) -> bool:
        """Whether something in a directory can be matched; never wrong when it says no."""
        inside = directory + "/"
        return any(
            not base or base == directory or base.startswith(inside) or inside.startswith(base + "/")
            for base in self.bases
        )


def _test(taken: list[Pattern]) -> Callable[[str], object]:
    exact = frozenset[str]().union(*(pattern.exact for pattern in taken))
    names = frozenset[str]().union(*(pattern.names for pattern in taken))
    prefixes = tuple(pattern.prefix for pattern in taken if pattern.prefix is not None)
    suffixes = tuple(pattern.suffix for pattern in taken if pattern.suffix is not None)
    expressions = [pattern.expression for pattern in taken if pattern.expression is not None]
    full = re.compile("|".join(f"(?:{text})" for text in expressions), re.DOTALL).fullmatch
    if not (names or prefixes or suffixes or expressions):
        return exact.__contains__
    if not (exact or names or prefixes or suffixes):
        return full

    def matches(path: str) -> object:
        return (
            path in exact
            or (names and path[path.rfind("/") + 1 :] in names)
            or (suffixes and path.endswith(suffixes))
            or (prefixes and path.startswith(prefixes))
            or (expressions and full(path))
        )

    return matches


def _literal(found: list[Piece]) -> str | None:
    """The text of pieces that are all literal."""
    texts = [piece.text for piece in found if isinstance(piece, Literal)]
    return "".join(texts) if len(texts) == len(found) else None


def _is_plain(text: str | None) -> bool:
    return text is not None and "/" not in text


def _base(found: list[Piece]) -> str:
    text = ""
    for piece in found:
        if not isinstance(piece, Literal):
            return text.rpartition("/")[0]
        text += piece.text
    return text  # it matches what is below this path too


def _expression(found: list[Piece]) -> str:
    segments, rest = _segments(found)
    out = [expression(segments[0])]
    for number, segment in enumerate(segments[1:], 1):
        text = expression(segment)
        last = number == len(segments) - 1 and not rest
        if last or not (_is_whole(segments[number - 1]) and _is_whole(segment)):
            out.append(f"{_DEEP}{text}")
        else:
            # The first place is as good as any: the next `**` reaches all others.
            out.append(f"(?>(?:.*?/)??{text})")
    return "".join((*out, _REST if rest else ""))


def _segments(found: list[Piece]) -> tuple[list[list[Piece]], bool]:
    """What lies between each two `**`, and whether one is the end."""
    segments: list[list[Piece]] = [[]]
    at, rest = 0, False
    while at < len(found):
        if found[at : at + 2] != [STAR, STAR]:
            segments[-1].append(found[at])
            at += 1
            continue
        at += 2
        if found[at : at + 1] == [Literal("/")]:
            at += 1
        if at == len(found):
            rest = True
        elif segments[-1] or len(segments) == 1:
            segments.append([])
    return segments, rest


def _is_whole(segment: list[Piece]) -> bool:
    """Whether pieces are whole parts of a path, each of which has one end."""
    return not segment or (
        segment[-1] == Literal("/") and not any(isinstance(piece, Class) for piece in segment)
    )
