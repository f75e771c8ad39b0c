"""Crowd: whether a pass has a processor to spare for a second thread.

What one thread inflates and hashes itself is still in its processor's cache; handed to another, it takes a
tenth more of work. That is worth it only where a processor would have nothing to do.
"""

from __future__ import annotations

import os
from _thread import allocate_lock  # `threading` takes longer to load than a small layer to read

from millefeuille.annotations import Final


class Crowd:
    """Counts the passes at work, of all threads of this process."""

    def __init__(self, processors: int) -> None:
        self._processors = processors
        self._working = 0
        self._lock = allocate_lock()

    def join(self) -> None:
        """A pass begins."""
        with self._lock:
            self._working += 1

    def leave(self) -> None:
        """A pass has ended, whichever way."""
        with self._lock:
            self._working -= 1

    @property
    def has_room(self) -> bool:
        """Whether there are fewer passes than processors."""
        return self._working < self._processors


PASSES: Final = Crowd(len(os.sched_getaffinity(0)))
