"""Times as Docker writes them."""

from __future__ import annotations

import time

NEVER = "0001-01-01T00:00:00Z"


def now() -> str:
    """RFC 3339 with nanoseconds, in UTC."""
    seconds, rest = divmod(time.time_ns(), 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09d}Z"
