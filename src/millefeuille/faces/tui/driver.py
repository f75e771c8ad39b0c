"""The driver: Textual's, for a terminal whose modes were changed before it, and by others meanwhile."""

from __future__ import annotations

import contextlib
import termios

from textual.drivers.linux_driver import LinuxDriver

from millefeuille.annotations import Any
from millefeuille.faces.tui import ending


class Driver(LinuxDriver):
    """Leaves the terminal in the modes that it had before the first frame."""

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self._has_begun = False

    def start_application_mode(self) -> None:
        """Begin, or begin again: whoever stopped this process may have changed the terminal."""
        if self._has_begun:
            # Of SIGSTOP, and of SIGCONT alone, Textual does not know: it would read keys in two threads.
            with contextlib.suppress(termios.error):
                ending.take_keys(self.fileno)
            self._app.call_later(self._app.refresh)
            return
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._has_begun = True
        self.attrs_before = ending.modes_before() or self.attrs_before

    def stop_application_mode(self) -> None:
        """Leave the terminal as it was."""
        self._has_begun = False
        super().stop_application_mode()
