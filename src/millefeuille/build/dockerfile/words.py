"""How the words of a Dockerfile are told apart: white space, quotes, the escape character."""

from __future__ import annotations

import re
from functools import cache

# What Go's unicode.IsSpace accepts; Python's str.isspace knows four control characters more.
SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
SPACE_CLASS = "\t\n\\x0b\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

_BLANKS = re.compile("[\t\v\f\r ]+")
_FIRST_BLANKS = re.compile("[\t\v\f\r ]")
_UNSPACED = re.compile(f"[^{SPACE_CLASS}]")


def printable(text: str) -> str:
    """`text` with the bytes that are no UTF-8 replaced: nothing but a message may come of it."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def split_blanks(text: str) -> list[str]:
    """`text` split at each run of blanks.

    A text that begins or ends with blanks gives an empty word there.
    """
    return _BLANKS.split(text)


def split_once(text: str) -> tuple[str, str | None]:
    """What stands before the first run of blanks and what after; None where there are no blanks."""
    start = _FIRST_BLANKS.search(text)
    if start is None:
        return text, None
    return text[: start.start()], text[start.start() :].lstrip("\t\v\f\r ")


def first_unspaced(text: str, start: int) -> int:
    """The index of the first character from `start` that is no white space; the text's length without one."""
    found = _UNSPACED.search(text, start)
    return len(text) if found is None else found.start()


@cache
def _word_pattern(escape: str) -> re.Pattern[str]:
    e = re.escape(escape)
    return re.compile(
        rf"(?:[^{SPACE_CLASS}'\"{e}]++|{e}.|'[^']*+'?|\"(?:[^\"{e}]++|{e}.)*+\"?)++",
        re.DOTALL,
    )


def quoted_words(text: str, escape: str) -> list[str]:
    """The words of ENV, LABEL and ARG: quotes group and are kept, like the escape character and what
    follows it.

    Within single quotes the escape character means itself. One that ends the text is dropped.
    """
    return _word_pattern(escape).findall(text)


@cache
def _flag_pattern(escape: str) -> re.Pattern[str]:
    e = re.escape(escape)
    return re.compile(
        rf"(?:[^{SPACE_CLASS}'\"{e}]++|{e}.|'(?:[^'{e}]++|{e}.)*+'?|\"(?:[^\"{e}]++|{e}.)*+\"?)++",
        re.DOTALL,
    )


@cache
def _part_pattern(escape: str) -> re.Pattern[str]:
    e = re.escape(escape)
    return re.compile(rf"[^'\"{e}]++|{e}.|'(?:[^'{e}]++|{e}.)*+'?|\"(?:[^\"{e}]++|{e}.)*+\"?", re.DOTALL)


@cache
def _escaped_pattern(escape: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(escape)}(.)", re.DOTALL)


def flag_word(text: str, start: int, escape: str) -> tuple[str, int]:
    """The word of a flag at `start`, without its quotes and escape characters, and the index behind it."""
    found = _flag_pattern(escape).match(text, start)
    if found is None:
        return "", len(text)
    parts = []
    for part in _part_pattern(escape).findall(found.group()):
        quote = part[0]
        if quote in "'\"":
            part = part[1:-1] if len(part) > 1 and part[-1] == quote else part[1:]
        parts.append(_escaped_pattern(escape).sub(r"\1", part))
    return "".join(parts), found.end()
