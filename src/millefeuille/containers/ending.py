"""Ending: a container's process killed and its monitor gone, whatever else is done at the same time."""

from __future__ import annotations

import time

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.containers import records
from millefeuille.containers.connection import Connection
from millefeuille.containers.pausing import Parts, let_go
from millefeuille.containers.record import Container

_PATIENCE: Final = 10.0  # seconds for a process that was killed to be gone
_ROUND: Final = 0.2  # seconds until it is looked at again


def end_at_once(host: Parts, container: Container, connection: Connection) -> None:
    """Kill a process that is never to be started again, and wait for its end. What the container has of the
    host is the caller's to give back then.

    Who halts it meanwhile is undone: halted, it would not take even this signal.
    """
    deadline = time.monotonic() + _PATIENCE
    connection.send_all((b"c", b""), (b"s", b""), (b"k", b"9"))
    while time.monotonic() < deadline:
        let_go(host, container)
        if connection.await_end(_ROUND) is not None or not records.state(host.place, container.id).running:
            return


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
