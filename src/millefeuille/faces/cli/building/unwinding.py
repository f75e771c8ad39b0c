"""Signals that end a build: all that it began is ended with it, as when it is interrupted."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from millefeuille.annotations import Final

_SIGNALS: Final = (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM)


class Terminated(BaseException):
    """This process was told to end, by the signal `number`. No Exception, so that nothing keeps it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextlib.contextmanager
def unwinding() -> Iterator[None]:
    """Within the block, raise Terminated at the first signal that would end this process; further ones do
    nothing, so that they do not disturb the work of ending.

    Signals that are ignored stay ignored, as `nohup` wishes. Does nothing outside of the main thread, where
    Python has no handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []

    def receive(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if len(received) == 1:
            raise Terminated(number)

    handled = [number for number in _SIGNALS if signal.getsignal(number) is signal.SIG_DFL]
    try:
        for number in handled:
            signal.signal(number, receive)
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)
