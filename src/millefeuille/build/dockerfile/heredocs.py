"""The here-documents that a line opens."""

from __future__ import annotations

import re

from millefeuille.annotations import NamedTuple
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.expand import expand
from millefeuille.build.dockerfile.lexing import Lexing

_OPENING = re.compile(r"([0-9]*)<<(-?)([^<]*)", re.DOTALL)
_SIMPLE = re.compile("[A-Za-z0-9_.-]+")
_LINE = Lexing(raw_quotes=True, raw_escapes=True, skip_unset=True, here_documents=True)
_DELIMITER = Lexing(skip_unset=True)
_DELIMITER_RAW = Lexing(raw_quotes=True, skip_unset=True)


class Opening(NamedTuple):
    """`<<NAME`: what a here-document is called, and how it is read."""

    name: str
    expand: bool
    chomp: bool
    fd: int


def openings(line: str) -> tuple[Opening, ...]:
    """The here-documents of a logical line, in order. A line whose quotes do not close opens none.

    Raises Complaint for a delimiter whose quotes do not close.
    """
    if "<<" not in line:
        return ()
    try:
        words = expand(line, {}, _LINE).words
    except Complaint:
        return ()
    return tuple(found for found in map(opening, words) if found is not None)


def opening(word: str) -> Opening | None:
    """The here-document that a word opens, None for any other word. Raises Complaint as `openings` does."""
    found = _OPENING.fullmatch(word)
    if found is None:
        return None
    rest = found[3].lstrip("\t\n\f\r ")
    if not rest:
        return None
    chomp, fd = found[2] == "-", int(found[1][-9:] or "0")
    if _SIMPLE.fullmatch(rest):
        return Opening(rest, True, chomp, fd)
    names = expand(rest, {}, _DELIMITER).words
    if len(names) != 1:
        return None
    raw = expand(rest, {}, _DELIMITER_RAW).text
    quotes = sum(map(raw.count, "'\"")) - sum(map(names[0].count, "'\""))
    return Opening(names[0], quotes == 0, chomp, fd)
