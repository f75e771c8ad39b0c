"""Ending: a container's process killed and its monitor gone, whatever else is done at the same time."""

from __future__ import annotations

import contextlib
import os
import time

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.containers import records
from millefeuille.containers.connection import Connection
from millefeuille.containers.pausing import Parts, let_go
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.later import Later

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    signal = Later("signal")

_PATIENCE: Final = 10.0  # seconds for a process that was killed to be gone
_ROUND: Final = 0.2  # seconds until it is looked at again


def end_at_once(host: Parts, container: Container, connection: Connection) -> bool:
    """Kill a process that is never to be started again, and wait for its end; False when it has not come in
    time. What the container has of the host is the caller's to give back then.

    Who halts it meanwhile is undone: halted, it would not take even this signal.
    """
    deadline = time.monotonic() + _PATIENCE
    connection.send_all((b"c", b""), (b"s", b""), (b"k", b"9"))
    while time.monotonic() < deadline:
        let_go(host, container)
        if connection.await_end(_ROUND) is not None or not records.state(host.place, container.id).running:
            return True
    return False


def end_monitor(place: Place, id: str, connection: Connection) -> None:
    """Kill the monitor at the other end if it does not even read what it is told: it is halted, or stuck. The
    container is one whose monitor was killed then.
    """
    if connection.is_read():
        return
    with contextlib.suppress(OSError):  # gone, or nobody whom we may end
        process = os.pidfd_open(connection.monitor())
        try:
            # The ID may be another's by now; the process behind the descriptor is one and the same.
            if _has_open(connection.monitor(), place.lock(id)):
                signal.pidfd_send_signal(process, signal.SIGKILL)
        finally:
            os.close(process)


def _has_open(pid: int, path: str) -> bool:
    wanted = os.stat(path)
    table = f"/proc/{pid}/fd"
    for name in os.listdir(table):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            if os.path.samestat(os.stat(f"{table}/{name}"), wanted):
                return True
    return False


def await_release(host: Parts, container: Container, timeout: float = _PATIENCE) -> None:
    """Wait until the monitor is gone. Raises LockTimeout."""
    try:
        lock = files.open_lock(host.place.lock(container.id))
    except FileNotFoundError:
        return  # removed, as it was to be at its end
    try:
        files.lock(lock, f"container {container.short}", timeout=timeout)
    finally:
        files.release(lock)
