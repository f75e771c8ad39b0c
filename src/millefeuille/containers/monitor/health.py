"""Health checks: a command in the container now and then; Docker's states starting, healthy, unhealthy."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from millefeuille.containers.monitor import launch, moments
from millefeuille.containers.monitor.order import Order

_SECOND = 1_000_000_000
_KEPT = 5  # results
_LONGEST = 4096  # bytes of a check's output that are kept
_TIMED_OUT = -1


class Health:
    """The checks of one run of a container. `due` is when something is to be done, in monotonic seconds;
    `tell` is told when the state is another.
    """

    def __init__(self, order: Order, tell: Callable[[str], None]) -> None:
        self._order = order
        self._tell = tell
        self.status = "starting"
        self.streak = 0
        self.results: list[dict[str, object]] = []
        self._began = time.monotonic()
        self.due = self._began + self._pause()
        self.output = -1
        self._pid = 0
        self._started = ""
        self._text = b""

    def told(self) -> dict[str, object]:
        """Docker's `Health` object."""
        return {"Status": self.status, "FailingStreak": self.streak, "Log": self.results}

    def advance(self) -> bool:
        """Begin a check that is due, or end one that takes too long; True when the state has changed."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            text = f"Health check exceeded timeout ({self._order.timeout / _SECOND:g}s)"
            return self._end(_TIMED_OUT, text.encode())
        self.output, inner = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        command = [*self._order.runtime, "exec", self._order.id, *self._order.check]
        self._pid = launch.spawn(command, -1, inner, inner)
        os.close(inner)
        self._started, self._text = moments.now(), b""
        self.due = time.monotonic() + self._order.timeout / _SECOND
        return False

    def read(self) -> None:
        """Take what the check has written."""
        try:
            data = os.read(self.output, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            self._hang_up()
        self._text = (self._text + data)[:_LONGEST]

    def ended(self, pid: int, code: int) -> bool:
        """A child has ended; True when it was the check."""
        if pid != self._pid:
            return False
        if self.output >= 0:
            self.read()
        return self._end(code, self._text)

    def stop(self) -> None:
        """The container has ended."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        self._hang_up()
        self._pid, self.due = 0, float("inf")

    def _end(self, code: int, output: bytes) -> bool:
        self._hang_up()
        self._pid = 0
        result: dict[str, object] = {
            "Start": self._started, "End": moments.now(), "ExitCode": code,
            "Output": output.decode("utf-8", "replace"),
        }  # fmt: skip
        self.results = [*self.results, result][-_KEPT:]
        before = self.status
        if code == 0:
            self.status, self.streak = "healthy", 0
        elif self.status != "starting" or not self._is_early():
            self.streak += 1
            if self.streak >= self._order.check_retries:
                self.status = "unhealthy"
        if self.status != before:
            self._tell(f"health_status: {self.status}")
        self.due = time.monotonic() + self._pause()
        return True

    def _pause(self) -> float:
        early = self.status == "starting" and self._is_early() and self._order.start_interval
        return (self._order.start_interval if early else self._order.interval) / _SECOND

    def _is_early(self) -> bool:
        return time.monotonic() - self._began < self._order.start_period / _SECOND

    def _hang_up(self) -> None:
        if self.output >= 0:
            os.close(self.output)
            self.output = -1
