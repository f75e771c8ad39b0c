"""Verbatim: whether a history tells the pairs of ENV or LABEL as the Dockerfile has them, with their quotes.

Source: buildah, `stage_executor.go`, `getCreatedBy`, which repeats the instruction, as kaniko does; others
write values alone, of which quotes are a part. What came of the pairs says which it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from millefeuille.annotations import Final

_NAME: Final = r"""(?:[A-Za-z_][\w.\-/]*|"[^"\n\\$]*"|'[^'\n]*')"""
_VALUE: Final = r"""(?:[^\s'"\\]|\\.|'[^'\n]*'|"(?:[^"\n\\]|\\.)*")*"""
_PAIR: Final = re.compile(rf"({_NAME})=({_VALUE})(?:[ \t]+|$)")
_PART: Final = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^'"\\]+)""")
_IN_QUOTES: Final = re.compile(r'\\(["$\\])')
_MARKS: Final = re.compile(r"""['"\\]""")


def is_verbatim(rest: str, known: Mapping[str, str]) -> bool:
    """Whether the pairs are such as a builder takes: at least one value is what it is in `known` when its
    quotes are taken off, and none is when they are not. A value set again later is no proof.
    """
    if not _MARKS.search(rest):
        return False
    told = list(_pairs(rest))
    if sum(end - start for start, end, _, _ in told) != len(rest):
        return False
    marked = [(known[name], value) for _, _, name, value in told if _MARKS.search(value) and name in known]
    return any(_meant(value) == is_there for is_there, value in marked) and not any(
        is_there == value for is_there, value in marked
    )


def _pairs(rest: str) -> Iterator[tuple[int, int, str, str]]:
    """Each from its place to the next one's, with its name, and its value as it is written."""
    place = 0
    while place < len(rest) and (found := _PAIR.match(rest, place)):
        yield place, found.end(), found[1].strip("\"'"), found[2]
        place = found.end()


def _meant(value: str) -> str | None:
    """What a value means; None where a variable is a part of it."""
    meant = ""
    for single, double, escaped, plain in _PART.findall(value):
        if "$" in plain or "$" in re.sub(r"\\.", "", double):
            return None
        meant += single or _IN_QUOTES.sub(r"\1", double) or escaped or plain
    return meant
