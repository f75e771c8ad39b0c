"""Times in JSON documents, as Go's time.RFC3339Nano has them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from millefeuille.docker import age
from millefeuille.later import pattern

SECOND = 1_000_000_000
ZERO = "0001-01-01T00:00:00Z"
_TEXT = pattern(
    r"(?a)(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?(?:Z|([+-])(\d\d):(\d\d))"
)


def nanoseconds(text: str) -> int | None:
    """Nanoseconds since 1970; None for text that is no such time."""
    if _is_plain(text):
        date_time, fraction, sign, hours, minutes = text[:19], text[20:-1], None, None, None
    else:
        found = _TEXT.fullmatch(text)
        if found is None:
            return None
        date, clock, fraction, sign, hours, minutes = found.groups()
        date_time = f"{date}T{clock}"
    try:
        moment = datetime.fromisoformat(f"{date_time}+00:00")
    except ValueError:
        return None
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) // timedelta(seconds=1)
    seconds = int(moment.timestamp()) - (-offset if sign == "-" else offset)
    return seconds * SECOND + int((fraction or "").ljust(9, "0"))


def _is_plain(text: str) -> bool:
    """Whether a time is in UTC and as written here: most are, and regular expressions take long to load."""
    marks = text[4:5] + text[7:8] + text[10:11] + text[13:14] + text[16:17] + text[-1:]
    digits = text[:4] + text[5:7] + text[8:10] + text[11:13] + text[14:16] + text[17:19]
    has_fraction = text[19:20] == "." and text[20:-1].isdecimal() and len(text) <= 30
    return (
        marks == "--T::Z" and text.isascii() and len(digits) == 14 and digits.isdecimal()
        and (len(text) == 20 or has_fraction)
    )  # fmt: skip


def seconds(text: str) -> int:
    """Whole seconds since 1970; Go's zero time for text that is no time."""
    value = nanoseconds(text)
    return age.ZERO if value is None else value // SECOND


def text(value: int) -> str:
    """Nanoseconds since 1970 in UTC, without trailing zeros; 0 stands for no time."""
    return exact(value) if value else ZERO


def exact(value: int) -> str:
    """The same for a moment that may be the first of 1970."""
    moment = datetime.fromtimestamp(value // SECOND, UTC).isoformat()[:19]
    fraction = f".{value % SECOND:09d}".rstrip("0").rstrip(".")
    return f"{moment}{fraction}Z"


def normalised(written: str) -> str:
    """A time as Go would write it again: no trailing zeros, the zone as it was."""
    found = _TEXT.fullmatch(written)
    if found is None:
        return written
    date, clock, fraction, sign, hours, minutes = found.groups()
    fraction = f".{fraction}".rstrip("0").rstrip(".") if fraction else ""
    return f"{date}T{clock}{fraction}{f'{sign}{hours}:{minutes}' if sign else 'Z'}"


def local(value: int, *, fixed: bool = False) -> str:
    """Nanoseconds since 1970 in the local zone; `fixed` has nine digits of fraction, else there are none."""
    moment = time.localtime(value // SECOND)
    zone = time.strftime("%z", moment)
    fraction = f".{value % SECOND:09d}" if fixed else ""
    shown = "Z" if int(zone) == 0 else f"{zone[:3]}:{zone[3:]}"
    return f"{moment.tm_year:04d}{time.strftime('-%m-%dT%H:%M:%S', moment)}{fraction}{shown}"


def go_string(written: str) -> str:
    """A time as Go's String() writes it: `2026-11-23 03:04:07.5 +0000 UTC`."""
    found = _TEXT.fullmatch(normalised(written))
    if found is None:
        return written
    date, clock, fraction, sign, hours, minutes = found.groups()
    zone = f"{sign}{hours}{minutes} {sign}{hours}{minutes}" if sign else "+0000 UTC"
    return f"{date} {clock}{f'.{fraction}' if fraction else ''} {zone}"
