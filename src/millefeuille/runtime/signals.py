"""Signals sent to this process, passed on to the container it waits for."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from millefeuille.annotations import Final
from millefeuille.runtime.runtime import Attached

_FORWARDED: Final = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
)


class Forwarder:
    """Passes signals on to a container; those that come before it runs are kept for it."""

    def __init__(self) -> None:
        self._attached: Attached | None = None
        self._early: list[int] = []

    def aim(self, attached: Attached) -> None:
        """Name the container."""
        self._attached = attached
        while self._early:
            attached.signal(self._early.pop(0))

    def receive(self, number: int, frame: FrameType | None) -> None:
        """A signal handler."""
        if self._attached is None:
            self._early.append(number)
        else:
            self._attached.signal(number)


@contextlib.contextmanager
def forwarding() -> Iterator[Forwarder]:
    """Pass signals on inside this block; none outside of the main thread, where Python has no handlers."""
    forwarder = Forwarder()
    if threading.current_thread() is not threading.main_thread():
        yield forwarder
        return
    # None for a handler that is not Python's: it cannot be put back.
    before = {number: signal.signal(number, forwarder.receive) or signal.SIG_DFL for number in _FORWARDED}
    try:
        yield forwarder
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
