"""Shell patterns as Go's path.Match has them."""

from __future__ import annotations

from functools import lru_cache

from millefeuille.errors import Invalid
from millefeuille.later import re
from millefeuille.oci.reference import Reference


class BadPattern(Invalid):
    """The pattern is malformed; the message is Go's."""

    def __init__(self) -> None:
        super().__init__("syntax error in pattern")


def match(pattern: str, text: str) -> bool:
    """True when the whole of `text` matches; `*` and `?` stop at `/`. Raises BadPattern."""
    return _compiled(pattern).fullmatch(text) is not None


def familiar_match(pattern: str, reference: Reference) -> bool:
    """True when `pattern` matches the reference, or its name alone, as Docker prints them.

    Raises BadPattern.
    """
    return match(pattern, reference.familiar) or match(pattern, reference.familiar_name)


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression.

    As in Go, what stands between two stars is taken at its first place and never looked for again, so that
    no pattern takes more than quadratic time.
    """
    chunks = [""]
    position = 0
    while position < len(pattern):
        letter = pattern[position]
        if letter == "[":
            part, position = _class(pattern, position + 1)
            chunks[-1] += part
        elif letter in "*?":
            position += 1
            if letter == "?":
                chunks[-1] += "[^/]"
            elif chunks[-1] or len(chunks) == 1:
                chunks.append("")
        else:
            letter, position = _letter(pattern, position)
            chunks[-1] += re.escape(letter)
    first, *middle = chunks
    last = f"[^/]*{middle.pop()}" if middle else ""
    return re.compile(first + "".join(f"(?>[^/]*?{chunk})" for chunk in middle) + last, re.DOTALL)


def _class(pattern: str, position: int) -> tuple[str, int]:
    """The regular expression of `[...]`, whose inside starts at `position`, and where it ends."""
    negated = pattern.startswith("^", position)
    position += negated
    ranges: list[str] = []
    while not (ranges and pattern.startswith("]", position)):
        if pattern[position : position + 1] in ("", "-", "]"):
            raise BadPattern
        low, position = _letter(pattern, position)
        high = low
        if pattern.startswith("-", position):
            if pattern[position + 1 : position + 2] in ("", "-", "]"):
                raise BadPattern
            high, position = _letter(pattern, position + 1)
        ranges.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else "")
        if position >= len(pattern):
            raise BadPattern
    inside = "".join(ranges)
    if not inside:
        return ("." if negated else "(?!)"), position + 1
    return f"[{'^' if negated else ''}{inside}]", position + 1


def _letter(pattern: str, position: int) -> tuple[str, int]:
    """The letter at `position`, freed of its backslash, and where the next one is."""
    if pattern[position] != "\\":
        return pattern[position], position + 1
    if position + 1 >= len(pattern):
        raise BadPattern
    return pattern[position + 1], position + 2
