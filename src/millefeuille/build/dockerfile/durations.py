"""Durations as Go's time.ParseDuration reads them: 1h30m, 1.5s, 20ms."""

from __future__ import annotations

import re

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.oci.gotext import quoted

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART = r"([0-9]*)(\.[0-9]*)?([^0-9.]*)"
_LARGEST = 2**63 - 1


def nanoseconds(text: str) -> int:
    """The length of a duration.

    Raises Complaint, in Go's words, for a text that is none or beyond 292 years.
    """
    invalid = Complaint(f"time: invalid duration {quoted(text[:64])}")
    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0
    if not rest or len(rest) > 256:
        raise invalid
    total = 0
    position = 0
    while position < len(rest):
        found = re.match(_PART, rest[position:])
        if found is None or not (found[1] or (found[2] and found[2] != ".")):
            raise invalid
        if not found[3]:
            raise Complaint(f"time: missing unit in duration {quoted(text)}")
        size = _UNITS.get(found[3])
        if size is None:
            raise Complaint(f"time: unknown unit {quoted(found[3])} in duration {quoted(text)}")
        # No float: it would not hold every nanosecond.
        fraction = (found[2] or ".")[1:]
        total += int(found[1] or "0") * size + int(fraction or "0") * size // 10 ** len(fraction)
        position += found.end()
    if total > _LARGEST:
        raise invalid
    return sign * total
