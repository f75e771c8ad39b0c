"""Ending: the terminal given back as it was, however the view ends."""

from __future__ import annotations

import contextlib
import os
import signal
import termios
from functools import partial
from types import FrameType

from millefeuille.annotations import Any, Final, TextIO

SIGNALS: Final = (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT)
_BACK: Final = "\x1b[?25h\x1b[?1049l"
_LOCAL: Final = 3  # the place of these modes among those of a terminal
_QUIET: Final = termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG
_INPUT: Final = 0
_CHARACTERS: Final = 6
_AS_TYPED: Final = termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON | termios.IXOFF
_before: dict[int, list[Any]] = {}


def guard(terminal: TextIO) -> None:
    """From here on, keys do nothing to the terminal until the program takes them, and a signal that ends this
    process gives the terminal back first.
    """
    with contextlib.suppress(OSError, termios.error):  # what is no terminal has no modes
        _before.clear()
        _before[terminal.fileno()] = termios.tcgetattr(terminal.fileno())
        take_keys(terminal.fileno())
    for number in SIGNALS:
        signal.signal(number, partial(end, terminal))


def take_keys(descriptor: int) -> None:
    """Have every key of a terminal given to this process, and shown by nobody. Raises termios.error."""
    modes = termios.tcgetattr(descriptor)
    modes[_LOCAL] &= ~_QUIET
    modes[_INPUT] &= ~_AS_TYPED
    modes[_CHARACTERS][termios.VMIN] = 1  # each at once
    termios.tcsetattr(descriptor, termios.TCSANOW, modes)


def modes_before() -> list[Any] | None:
    """The modes of the terminal before it was guarded, as `termios` tells them; None where it had none."""
    return next(iter(_before.values()), None)


def give_back(terminal: TextIO) -> None:
    """Show the cursor, and what was on the terminal before; what is typed is shown again."""
    for descriptor, modes in _before.items():
        with contextlib.suppress(OSError, termios.error):  # a terminal that is gone needs nothing
            if _is_ours(descriptor):
                termios.tcsetattr(descriptor, termios.TCSANOW, modes)
    with contextlib.suppress(OSError):
        terminal.write(_BACK)
        terminal.flush()


def _is_ours(descriptor: int) -> bool:
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:  # nobody else can have it in the foreground
        return True


def end(terminal: TextIO, number: int, frame: FrameType | None = None) -> None:
    """Give the terminal back, and end this process by the signal."""
    give_back(terminal)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
