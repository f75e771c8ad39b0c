"""Whether a container is started again when it ends, and when (Docker's restart policies).

Source: moby v28.2.2, restartmanager/restartmanager.go `ShouldRestart`: a run that was long enough makes the
wait small again; restarts are counted from the start that was asked for, however long the runs were.
"""

from __future__ import annotations

_FIRST = 0.1  # seconds; doubled at each failure
_LONGEST = 60.0
_STABLE = 10.0  # seconds of running after which the wait begins small again


class Policy:
    """`name` is no, always, unless-stopped or on-failure; `retries` bounds the last, 0 for no bound."""

    def __init__(self, name: str, retries: int) -> None:
        self.name = name
        self.retries = retries
        self.attempts = 0
        self._wait = _FIRST

    def again(self, code: int, ran: float) -> float | None:
        """Seconds until the next start, None for none, after an exit with `code` and `ran` seconds."""
        if ran >= _STABLE:
            self._wait = _FIRST
        if self.name in ("", "no") or (self.name == "on-failure" and code == 0):
            return None
        if self.name == "on-failure" and self.retries and self.attempts >= self.retries:
            return None
        self.attempts += 1
        wait = self._wait
        self._wait = min(_LONGEST, wait * 2)
        return wait
