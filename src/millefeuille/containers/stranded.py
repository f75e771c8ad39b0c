"""Stranded: containers that run, and whose run directory is gone, with the socket of their monitor.

A logout clears an ordinary user's directory away while containers run on. Then the monitor and the first
process are ended by their IDs: the process is the one that was recorded as long as its parent holds the
container's lock, which nobody but its monitor has for longer than a command takes. So it is with a monitor
that is halted, and takes no clients any more.

Source: Linux proc(5), pidfd_open(2).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterator

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.containers import records
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.values import dataclass

_MONITOR: Final = b"millefeuille.containers.monitor"  # in the command line of one
_PATIENCE: Final = 10.0  # seconds for a process that was killed to be gone
_NOTING: Final = 2.0  # seconds for a monitor to note the end of its process


@dataclass(frozen=True, slots=True)
class Stranded:
    """Descriptors of the processes of a container's monitor and of its own first one; -1 when it has none at
    the moment, for it is about to be started again.
    """

    monitor: int
    process: int

    def send(self, number: int) -> None:
        """Send a signal to the first process; that it is gone is no error."""
        _send(self.process, number)

    def await_end(self, seconds: float | None) -> bool:
        """Wait for the first process to end, and its monitor to note that; whether it has. Without
        `seconds`, for ever.
        """
        if not _is_gone(self.process, seconds):
            return False
        _is_gone(self.monitor, _NOTING)
        return True

    def end(self) -> None:
        """Kill both, the monitor first: it would start the container again."""
        for descriptor in (self.monitor, self.process):
            _send(descriptor, signal.SIGKILL)
            _is_gone(descriptor, _PATIENCE)


@contextlib.contextmanager
def found(place: Place, container: Container, *, silent: bool = False) -> Iterator[Stranded | None]:
    """The processes of a container that runs without a run directory, None of any other one; `silent`: of one
    that has it, too, for its monitor does not answer. Whose processes they are is certain: the IDs are held
    while it is looked at.
    """
    told = records.recorded(place, container.id)
    if not told.running or (not silent and os.path.isdir(place.bundle(container.id))):
        yield None
        return
    with contextlib.ExitStack() as stack:
        process = _opened(told.pid)
        stack.callback(_close, process)
        pid = _parent(told.pid) if process >= 0 else _searched(container.id)
        monitor = _opened(pid)
        stack.callback(_close, monitor)
        is_monitor = monitor >= 0 and _has_open(pid, place.lock(container.id))
        # A parent that has it now had it when it was read: a process gets another one only when that ends.
        is_child = process < 0 or _parent(told.pid) == pid
        yield Stranded(monitor, process) if is_monitor and is_child else None


def _searched(id: str) -> int:
    """The process of the monitor whose command line names the container; 0 when there is none."""
    for name in os.listdir("/proc"):
        if name.isdecimal():
            words = _read(f"/proc/{name}/cmdline")
            if _MONITOR in words and os.fsencode(f"/{id}/") in words:
                return int(name)
    return 0


def _has_open(pid: int, path: str) -> bool:
    """Whether a process has this file open."""
    directory = f"/proc/{pid}/fd"
    try:
        wanted = os.stat(path)
        names = os.listdir(directory)
    except OSError:
        return False
    for name in names:
        with contextlib.suppress(OSError):
            if os.path.samestat(os.stat(f"{directory}/{name}"), wanted):
                return True
    return False


def _parent(pid: int) -> int:
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def _opened(pid: int) -> int:
    """A descriptor of a process; -1 when there is none."""
    try:
        return os.pidfd_open(pid) if pid > 1 else -1
    except (ProcessLookupError, PermissionError):
        return -1


def _send(descriptor: int, number: int) -> None:
    if descriptor >= 0:
        files.act("kill", descriptor)
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, number)


def _is_gone(descriptor: int, seconds: float | None) -> bool:
    if descriptor < 0:
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if seconds is None else seconds * 1000))


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 16)
    except OSError:
        return b""
