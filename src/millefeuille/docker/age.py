"""Ages and times as Docker spells them."""

from __future__ import annotations

import time

_MINUTE, _HOUR, _DAY = 60, 3600, 24
ZERO = -62_135_596_800  # Go's zero time, in Unix seconds: no time at all
_LONGEST = 9_223_372_036  # seconds; what a Go duration can hold


def human_duration(seconds: float) -> str:
    """A length of time in words: `About a minute`, `2 weeks`. Source: go-units, duration.go."""
    if seconds < 1:
        return "Less than a second"
    if seconds < _MINUTE:
        return "1 second" if seconds < 2 else f"{int(seconds)} seconds"
    if seconds < _HOUR:
        minutes = int(seconds / _MINUTE)
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    return _hours(seconds)


def ago(created: float, now: float) -> str:
    """How long before `now` (both Unix seconds) something was made: `3 hours ago`."""
    return f"{human_duration(min(int(now - created), _LONGEST))} ago"


def go_time(seconds: float) -> str:
    """Unix seconds as Go prints a time, in the local zone: `2026-11-23 03:04:07 +0000 UTC`."""
    moment = time.localtime(int(seconds))
    return f"{moment.tm_year:04d}{time.strftime('-%m-%d %H:%M:%S %z %Z', moment)}"


def _hours(seconds: float) -> str:
    hours = int(seconds / _HOUR + 0.5)
    if hours == 1:
        return "About an hour"
    if hours < 2 * _DAY:
        return f"{hours} hours"
    if hours < 14 * _DAY:
        return f"{hours // _DAY} days"
    if hours < 60 * _DAY:
        return f"{hours // _DAY // 7} weeks"
    if hours < 730 * _DAY:
        return f"{hours // _DAY // 30} months"
    return f"{int(seconds / _HOUR) // _DAY // 365} years"
