"""Lengths of time as Go's time.Duration."""

from __future__ import annotations

from millefeuille.docker import rfc3339
from millefeuille.docker.template.values import Text


def duration(nanoseconds: int) -> Text:
    """What a template sees: `1m30s`, `1.5s`, `100ms` or `0s`; in JSON the number of nanoseconds."""
    return Text(_shown(nanoseconds), nanoseconds, "time.Duration")


def _shown(nanoseconds: int) -> str:
    if nanoseconds < rfc3339.SECOND:
        for unit, size in (("ms", 1_000_000), ("µs", 1_000), ("ns", 1)):
            if nanoseconds >= size:
                return f"{_decimal(nanoseconds, size)}{unit}"
        return "0s"
    minutes, rest = divmod(nanoseconds, 60 * rfc3339.SECOND)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{text}{_decimal(rest, rfc3339.SECOND)}s"


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    digits = str(rest).rjust(len(str(unit)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
