"""Moments: the RFC 3339 times of image documents, to the nanosecond."""

from __future__ import annotations

import time

# Go's zero time, which Docker shows for an image that does not say when it was made.
ZERO = "0001-01-01T00:00:00Z"
# Seconds since 1970: years of RFC 3339 have four digits.
LATEST = 253_402_300_799
_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_moment(text: str) -> bool:
    """Whether a text is such a time, of a day and an hour that there are, in whichever year."""
    digits = text[0:4] + text[5:7] + text[8:10] + text[11:13] + text[14:16] + text[17:19]
    marks = text[4:5] + text[7:8] + text[10:11] + text[13:14] + text[16:17]
    if marks not in ("--T::", "--t::") or not _are_digits(digits, 14):
        return False
    if text[19:] != "Z" and _fraction(text[19:])[1] is None:
        return False
    month, day = int(digits[4:6]), int(digits[6:8])
    if digits[8:10] > "23" or digits[10:12] > "59" or digits[12:] > "59" or not 1 <= month <= 12:
        return False
    if month == 2 and day == 29:
        year = int(digits[:4])
        return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= day <= _MONTHS[month - 1]


def nanoseconds(text: str) -> int:
    """Nanoseconds since 1970 of a time as written in a config; 0 for one that cannot be read.

    Source: RFC 3339, section 5.6; fractions beyond nine digits are cut.
    """
    digits = text[0:4], text[5:7], text[8:10], text[11:13], text[14:16], text[17:19]
    marks = text[4:5] + text[7:8] + text[10:11].upper() + text[13:14] + text[16:17]
    fraction, offset = _fraction(text[19:])
    if marks != "--T::" or not _are_digits("".join(digits), 14) or offset is None:
        return 0
    year, month, day, hour, minute, second = map(int, digits)
    if not (1 <= month <= 12 and 1 <= day <= 31 and year >= 1):
        return 0
    seconds = _days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
    value = (seconds - offset) * 1_000_000_000 + fraction
    return value if abs(value) < 2**63 else 0


def _fraction(text: str) -> tuple[int, int | None]:
    """Nanoseconds, and the seconds that the zone is ahead of UTC (None for no such text), of what follows a
    time's seconds.
    """
    number = ""
    if text[:1] in (".", ","):
        zone = text[1:].lstrip("0123456789")
        number = text[1 : len(text) - len(zone)]
        if not number:
            return 0, None
        text = zone
    nanoseconds = int((number + "000000000")[:9])
    if text in ("Z", "z"):
        return nanoseconds, 0
    if text[:1] not in ("+", "-") or text[3:4] != ":" or not _are_digits(text[1:3] + text[4:], 4):
        return 0, None
    seconds = int(text[1:3]) * 3600 + int(text[4:6]) * 60
    return nanoseconds, -seconds if text[0] == "-" else seconds


def _are_digits(text: str, count: int) -> bool:
    return len(text) == count and not text.strip("0123456789")


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
