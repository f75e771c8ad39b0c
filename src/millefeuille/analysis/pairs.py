"""Pairs: what ENV, LABEL and ARG set, told by a history without the quotes that a Dockerfile needs.

Source: BuildKit and the classic builder write `NAME=VALUE` each, blanks in both as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from millefeuille.analysis.oneline import is_line
from millefeuille.analysis.verbatim import is_verbatim
from millefeuille.annotations import Final

_NAME: Final = r"[A-Za-z_][\w.\-/]*"
_GIVEN: Final = rf'{_NAME}|"[^"\n]*"'  # by builders that repeat the Dockerfile, in quotes
_PLAIN_NAME: Final = re.compile(_GIVEN)
_PLAIN: Final = re.compile(r"[\w@%+=:,./-]+")
_ALONE: Final = re.compile(r"([A-Za-z_][\w.-]*)(?:\s+|$)")
_ARGUMENT: Final = re.compile(r"(?:^| )([A-Za-z_][\w.-]*)=")

_MOST: Final = 1 << 20  # characters in all that values up to the end of a text may have


def parted(text: str, count: int) -> dict[str, str]:
    """So many pairs with blanks between, by name; none where a value may be two.

    buildah counts the words instead (`stage_executor.go`, `getCreatedBy`).
    """
    starts = list(_ARGUMENT.finditer(text))
    starts = starts[:1] if count == 1 else starts
    is_count = count in (len(starts), len(text.split(" ")))
    if not is_count or not starts or starts[0].start():
        return {}
    ends = [*(start.start() for start in starts[1:]), len(text)]
    return {start[1]: text[start.end() : end] for start, end in zip(starts, ends, strict=True)}


def possible(text: str) -> list[tuple[str, str]]:
    """The pairs that a text may consist of: each value up to the next pair, and up to the end where these are
    few. Names alone have an empty value.
    """
    starts = list(_ARGUMENT.finditer(text))
    if not starts:
        return [(name, "") for name in text.split()]
    ends = [*(start.start() for start in starts[1:]), len(text)]
    are_few = len(starts) * len(text) <= _MOST
    return [
        (start[1], text[start.end() : end])
        for start, near in zip(starts, ends, strict=True)
        for end in (sorted({near, len(text)}) if are_few else (near,))
    ]


def quoted(
    rest: str, known: Mapping[str, str], *, names_alone: bool = False
) -> tuple[list[str], list[str]]:
    """What a history tells behind ENV, LABEL or ARG, made such as a builder takes, with quotes where they are
    needed; and what cannot be said. `known` is what is known of the values; `names_alone` where a name may
    have none.
    """
    if is_verbatim(rest, known):
        return [rest], []
    said: list[str] = []
    untold: list[str] = []
    # The longest first: a name may be the end of another.
    names = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True) if name)
    start = re.compile(f"(?:{names}|{_GIVEN})(?==)" if names else f"(?:{_GIVEN})(?==)")
    following = re.compile(f" (?={start.pattern})")
    place = 0
    while place < len(rest):
        alone = _ALONE.match(rest, place) if names_alone else None
        if alone:
            said.append(alone[1])
            place = alone.end()
            continue
        found = start.match(rest, place)
        if found is None:
            old = not said and is_line(rest[place:]) and _old_form(rest[place:], known)
            (said if old else untold).append(rest[place:])
            break
        end, value = _told_value(rest, found.end() + 1, known.get(found[0].strip('"')), following)
        pair = f"{_name(found[0])}={value}"
        # Nothing says a line's end within quotes.
        (untold if "\n" in pair else said).append(pair)
        place = end
        while rest[place : place + 1].isspace():
            place += 1
    return said, untold


def _old_form(rest: str, known: Mapping[str, str]) -> bool:
    """Whether it is a name and a value with a blank between."""
    name, _, value = rest.partition(" ")
    return "=" not in rest or known.get(name) == value


def _told_value(rest: str, place: int, value: str | None, following: re.Pattern[str]) -> tuple[int, str]:
    """Where the text that tells the value at `place` ends, and the value with the quotes that it needs."""
    for told in (value, f'"{value}"', f"'{value}'") if value is not None else ():
        end = place + len(told or "")
        if told is not None and rest.startswith(told, place) and rest[end : end + 1] in ("", " "):
            return end, _quoted(value or "")
    # Set again later: up to what looks like the next pair.
    found = following.search(rest, place)
    end = found.start() if found else len(rest)
    told = rest[place:end]
    has_quotes = told[:1] == told[-1:] and told[:1] in ('"', "'") and len(told) > 1
    return end, told if has_quotes else _quoted(told)


def _name(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else _quoted(name)


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
