"""Moments: the RFC 3339 times of image documents, to the nanosecond."""

from __future__ import annotations

import re
import time

_SHAPE = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
# Go's zero time, which Docker shows for an image that does not say when it was made.
ZERO = "0001-01-01T00:00:00Z"


def nanoseconds(text: str) -> int:
    """Nanoseconds since 1970 of a time as written in a config; 0 for one that cannot be read.

    Source: RFC 3339, section 5.6; fractions beyond nine digits are cut.
    """
    match = _SHAPE.fullmatch(text)
    if match is None:
        return 0
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    if not (1 <= month <= 12 and 1 <= day <= 31 and year >= 1):
        return 0
    fraction = int(((match[7] or "") + "000000000")[:9])
    seconds = _days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
    if match[8] not in "Zz":
        sign = -1 if match[8][0] == "-" else 1
        seconds -= sign * (int(match[8][1:3]) * 3600 + int(match[8][4:6]) * 60)
    value = seconds * 1_000_000_000 + fraction
    return value if abs(value) < 2**63 else 0


def rfc3339(value: int) -> str:
    """A time in nanoseconds since 1970 as RFC 3339, in UTC, without trailing zeros."""
    seconds, rest = divmod(value, 1_000_000_000)
    fraction = f".{rest:09d}".rstrip("0").rstrip(".")
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f"{fraction}Z"


def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 in the proleptic Gregorian calendar, in eras of 400 years from March on."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
