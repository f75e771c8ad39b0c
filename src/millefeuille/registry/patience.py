"""Patience: how long to wait for a server, and how often to ask again."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

from millefeuille.values import dataclass

PASSING = frozenset({408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_SECONDS = re.compile(r"\d+", re.ASCII)
_ENDLESS = 1e9  # seconds; no server means more
_IN_TEXT = re.compile(r"retry-after:\s*([0-9.]{1,20})(ns|µs|us|ms|s|m)\b", re.IGNORECASE)
_UNITS = {"ns": 1e-9, "µs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """All times in seconds. Tests shorten them, and replace `sleep`."""

    connect: float = 10.0
    answer: float = 60.0
    stored: float = 300.0  # until a server has put an uploaded blob away
    idle: float = 30.0
    attempts: int = 5
    first_delay: float = 0.5
    longest_delay: float = 30.0
    longest_wait: float = 120.0  # of what a server may ask for with Retry-After
    sleep: Callable[[float], None] = time.sleep

    def delay(self, attempt: int) -> float:
        """Seconds to wait after failure number `attempt` (1 is the first), with jitter of a quarter."""
        plain = min(self.first_delay * 2.0 ** (attempt - 1), self.longest_delay)
        return plain * random.uniform(0.75, 1.25)


def retry_after(headers: Mapping[str, str], text: str = "", *, now: float | None = None) -> float | None:
    """The seconds a server asks to wait: in its header (RFC 9110, 10.2.3), or in the text of its error."""
    value = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), _ENDLESS)
    if value:
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, TypeError, OverflowError):
            return None
        return max(0.0, date.timestamp() - (time.time() if now is None else now))
    found = _IN_TEXT.search(text)
    try:
        return float(found[1]) * _UNITS[found[2].lower()] if found else None
    except ValueError:
        return None
