"""Pairs: what ENV, LABEL and ARG set, told by a history without the quotes that a Dockerfile needs.

Source: BuildKit and the classic builder write `NAME=VALUE` each, blanks in both as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from millefeuille.annotations import Final

_NAME: Final = r"[A-Za-z_][\w.\-/]*"
_GIVEN: Final = rf'{_NAME}|"[^"\n]*"'  # by builders that repeat the Dockerfile, in quotes
_PLAIN_NAME: Final = re.compile(_GIVEN)
_PLAIN: Final = re.compile(r"[\w@%+=:,./-]+")
_ALONE: Final = re.compile(r"([A-Za-z_][\w.-]*)(?:\s+|$)")
_ARGUMENT: Final = re.compile(r"(?:^| )([A-Za-z_][\w.-]*)=")


def parted(text: str, count: int) -> dict[str, str]:
    """So many pairs with blanks between, by name; none where a value may be two."""
    starts = list(_ARGUMENT.finditer(text))
    starts = starts[:1] if count == 1 else starts
    if len(starts) != count or not starts or starts[0].start():
        return {}
    ends = [*(start.start() for start in starts[1:]), len(text)]
    return {start[1]: text[start.end() : end] for start, end in zip(starts, ends, strict=True)}


def possible(text: str) -> list[tuple[str, str]]:
    """The pairs that a text may consist of: each value up to the next pair, and up to the end.

    Names alone have an empty value.
    """
    starts = list(_ARGUMENT.finditer(text))
    if not starts:
        return [(name, "") for name in text.split()]
    ends = [*(start.start() for start in starts[1:]), len(text)]
    return [
        (start[1], text[start.end() : end])
        for start, near in zip(starts, ends, strict=True)
        for end in sorted({near, len(text)})
    ]


def quoted(
    rest: str, known: Mapping[str, str], *, names_alone: bool = False
) -> tuple[list[str], list[str]]:
    """What a history tells behind ENV, LABEL or ARG, made such as a builder takes, with quotes where they are
    needed; and what cannot be said. `known` is what is known of the values; `names_alone` where a name may
    have none.
    """
    said: list[str] = []
    untold: list[str] = []
    # The longest first: a name may be the end of another.
    names = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True) if name)
    start = re.compile(f"(?:{names}|{_GIVEN})(?==)" if names else f"(?:{_GIVEN})(?==)")
    while rest:
        alone = _ALONE.match(rest) if names_alone else None
        if alone:
            said.append(alone[1])
            rest = rest[alone.end() :]
            continue
        found = start.match(rest)
        if found is None:
            old = not said and _old_form(rest, known)
            (said if old else untold).append(rest)
            break
        behind = rest[found.end() + 1 :]
        length, value = _told_value(behind, known.get(found[0].strip('"')), start)
        pair = f"{_name(found[0])}={value}"
        # Nothing says a line's end within quotes.
        (untold if "\n" in pair else said).append(pair)
        rest = behind[length:].lstrip()
    return said, untold


def _old_form(rest: str, known: Mapping[str, str]) -> bool:
    """Whether it is a name and a value with a blank between."""
    name, _, value = rest.partition(" ")
    return "=" not in rest or known.get(name) == value


def _told_value(behind: str, value: str | None, start: re.Pattern[str]) -> tuple[int, str]:
    """How many characters tell the value, and the value with the quotes that it needs."""
    for told in (value, f'"{value}"') if value is not None else ():
        if told is not None and (behind == told or behind.startswith(f"{told} ")):
            return len(told), _quoted(value or "")
    # Set again later: up to what looks like the next pair.
    found = re.search(f" (?={start.pattern})", behind)
    told = behind[: found.start()] if found else behind
    has_quotes = told[:1] == told[-1:] == '"' and len(told) > 1
    return len(told), told if has_quotes else _quoted(told)


def _name(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else _quoted(name)


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
