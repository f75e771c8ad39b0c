"""Ending: the terminal given back as it was, however the view ends."""

from __future__ import annotations

import contextlib
import os
import signal
from functools import partial
from types import FrameType

from millefeuille.annotations import Final, TextIO

SIGNALS: Final = (signal.SIGHUP, signal.SIGTERM)
_BACK: Final = "\x1b[?25h\x1b[?1049l"


def guard(terminal: TextIO) -> None:
    """From here on, a signal that ends this process gives the terminal back first."""
    for number in SIGNALS:
        signal.signal(number, partial(end, terminal))


def give_back(terminal: TextIO) -> None:
    """Show the cursor, and what was on the terminal before."""
    with contextlib.suppress(OSError):  # a terminal that is gone needs nothing
        terminal.write(_BACK)
        terminal.flush()


def end(terminal: TextIO, number: int, frame: FrameType | None = None) -> None:
    """Give the terminal back, and end this process by the signal."""
    give_back(terminal)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
