"""Health checks: a command in the container now and then; Docker's states starting, healthy, unhealthy."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from millefeuille.containers.monitor import launch, moments
from millefeuille.containers.monitor.order import Order
from millefeuille.plainjson import loads

_SECOND = 1_000_000_000
_KEPT = 5  # results
_LONGEST = 4096  # bytes of a check's output that are kept
_NO_CODE = -1  # the check did not end by itself, or did not begin
_STARTING = 30.0  # seconds in which a runtime has begun a check; its own time counts from there


class Health:
    """The checks of one run of a container, after the `results` of those before. `due` is when something is
    to be done, in monotonic seconds; `tell` is told when the state is another.

    A check is begun by a runtime, which ends at once; from then on the check is a child of this process,
    which does not wait for what a check leaves in the background.
    """

    def __init__(
        self, order: Order, tell: Callable[[str], None], results: list[dict[str, object]]
    ) -> None:
        self._order = order
        self._tell = tell
        self.status = "starting"
        self.streak = 0
        self.results = results
        self._began = time.monotonic()
        self.due = self._began + self._pause()
        self.output = -1
        self._runtime = 0  # while it begins a check
        self._check = 0  # from when it has begun
        self._code: int | None = None  # of a check that was heard of before its runtime
        self._pid_file = f"{order.bundle}/check.pid"
        self._was_early = False  # the check began in the time that a container has to start
        self._halted = False
        self._started = ""
        self._text = b""

    def told(self) -> dict[str, object]:
        """Docker's `Health` object."""
        return {"Status": self.status, "FailingStreak": self.streak, "Log": self.results}

    def advance(self) -> bool:
        """Begin a check that is due, or end one that takes too long; True when the state has changed."""
        if self._runtime or self._check:
            self._give_up()
            text = f"Health check exceeded timeout ({duration(self._order.timeout)})".encode()
            said = self._said()
            return self._end(_NO_CODE, text + b": " + said if said else text)
        _remove(self._pid_file)
        self.output, inner = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        place = ["--pid-file", self._pid_file, self._order.id]
        command = [*self._order.runtime, "exec", "--detach", *place, *self._order.check]
        self._runtime, self._code = launch.spawn(command, -1, inner, inner), None
        os.close(inner)
        self._started, self._text = moments.now(), b""
        self._was_early = self._is_early()
        self.due = time.monotonic() + _STARTING
        return False

    def read(self) -> None:
        """Take what the check has written."""
        try:
            data = os.read(self.output, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            self._hang_up()
        if len(self._text) <= _LONGEST:
            self._text += data

    def ended(self, pid: int, code: int) -> bool:
        """A child has ended; True when that was the end of a check."""
        if pid == self._runtime:
            self._runtime = 0
            # It writes the file when the check has begun.
            self._check = _written(self._pid_file)
            if not self._check:
                why = _reason(self._said())
                return self._end(_NO_CODE, f"OCI runtime exec failed: {why}: unknown".encode())
            self.due = time.monotonic() + self._order.timeout / _SECOND
            return self._code is not None and self._end(self._code, self._said())
        if self._check and pid == self._check:
            return self._end(code, self._said())
        if self._runtime and pid == _written(self._pid_file):
            self._code = code
        return False

    def halt(self, halted: bool) -> None:
        """The container is halted, or goes on: no check begins meanwhile, and none is held against it."""
        if halted and not self._halted:
            self.stop()
        elif self._halted and not halted:
            self.due = time.monotonic() + self._pause()
        self._halted = halted

    def stop(self) -> None:
        """The container has ended, or does nothing: it is called unhealthy until a check says otherwise, as
        in Docker (moby v28.2.2, container/health.go `CloseMonitorChannel`).
        """
        self._give_up()
        self._hang_up()
        self.status, self.due = "unhealthy", float("inf")

    def _give_up(self) -> None:
        """End a check: what runs in the container first, which does not end with the runtime's process."""
        _kill(self._check or _begun(self._pid_file, self._runtime))
        if self._runtime:
            os.kill(self._runtime, signal.SIGKILL)
            os.waitpid(self._runtime, 0)
        self._runtime = self._check = 0

    def _said(self) -> bytes:
        """What the check has written until now, cut where it is too long."""
        if self.output >= 0:
            self.read()
        return self._text if len(self._text) <= _LONGEST else self._text[:_LONGEST] + b"..."

    def _end(self, code: int, output: bytes) -> bool:
        self._hang_up()
        self._check = 0
        result: dict[str, object] = {
            "Start": self._started, "End": moments.now(), "ExitCode": code,
            "Output": output.decode("utf-8", "replace"),
        }  # fmt: skip
        self.results = [*self.results, result][-_KEPT:]
        before = self.status
        if code == 0:
            self.status, self.streak = "healthy", 0
        elif self.status != "starting" or not self._was_early:
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


def _reason(output: bytes) -> str:
    """Why a runtime did not begin a check: what its last line says, or the message in it."""
    line = output.decode("utf-8", "replace").strip().rpartition("\n")[2]
    at = line.find('msg="')
    try:
        return str(loads(line[at + 4 :])) if at >= 0 else line
    except ValueError:
        return line


def _written(path: str) -> int:
    """The process ID in a file; 0 where there is none."""
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0


def _begun(path: str, runtime: int) -> int:
    """The check's process by the file that the runtime wrote, while it is the runtime's child; else 0."""
    pid = _written(path)
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            parent = int(file.read().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return 0
    return pid if pid and parent == runtime else 0


def _kill(pid: int) -> None:
    """Kill a check, and what it has started in its process group, which is its own with runc and crun."""
    try:
        if pid and os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        elif pid:
            os.kill(pid, signal.SIGKILL)
    except OSError:  # it has just ended
        return


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def duration(nanoseconds: int) -> str:
    """As Go writes a duration: 500ms, 1.5s, 1m30s, 2h0m0s."""
    if nanoseconds < _SECOND:
        return f"{nanoseconds / 1_000_000:g}ms"
    minutes, rest = divmod(nanoseconds, 60 * _SECOND)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / _SECOND:.9f}".rstrip("0").rstrip(".")
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{seconds}s"
