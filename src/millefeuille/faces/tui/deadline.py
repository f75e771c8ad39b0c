"""Deadline: a time that work on the main thread may take, whatever it is busy with.

A regular expression may take years for a path of forty characters, and no look at it tells all such from
the others. `re` looks for signals as it goes, so an alarm ends it.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from millefeuille.annotations import Final

_AGAIN: Final = 0.05  # seconds; an alarm that comes while an object is cleaned up ends nothing


class Expired(Exception):
    """The time is over."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise Expired in what goes on inside once it took so long. For the main thread only."""
    armed = True

    def expire(number: int, frame: FrameType | None) -> None:
        if armed:
            raise Expired

    handler = signal.signal(signal.SIGALRM, expire) or signal.SIG_DFL  # None: not Python's
    timer = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)
