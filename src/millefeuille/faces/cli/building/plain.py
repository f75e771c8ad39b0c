"""A build off a terminal: BuildKit's plain lines on standard error, each with its step's number."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from millefeuille.build.report import Began, Ended, Event, Explained, Noted, Printed
from millefeuille.faces.cli.escaped import printable, printable_lines
from millefeuille.faces.cli.terminal import ReaderGone, Terminal


class PlainBuild:
    """A Reporter that prints. What commands print comes with the seconds since their step began.

    A step's number and name come as it begins, and again whenever lines of another came between.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal: Terminal | None = terminal
        self._lock = threading.Lock()
        self._began: dict[int, float] = {}
        self._partial: dict[tuple[int, int], bytes] = {}
        self._last = 0

    def report(self, event: Event) -> None:
        """Print what is new; nothing more once the reader has gone, for the work goes on."""
        with self._lock:
            if self._terminal is None:
                return
            try:
                for line in self._lines(event):
                    self._terminal.relay(line)
            except ReaderGone:
                self._terminal = None

    def _lines(self, event: Event) -> Iterator[str]:
        if isinstance(event, Began):
            self._began[event.vertex.number] = time.monotonic()
            yield from self._heading(event)
        elif isinstance(event, Noted):
            yield printable_lines(event.message)
        elif isinstance(event, Printed):
            yield from self._about(event, self._whole_lines(event))
        elif isinstance(event, Explained):
            yield from self._about(event, [printable_lines(event.text)])
        elif isinstance(event, Ended):
            rest = [self._timed(event.vertex.number, line) for line in self._rest(event.vertex.number)]
            yield from self._about(event, [*rest, _outcome(event)])
            yield ""

    def _about(self, event: Began | Printed | Ended | Explained, lines: list[str]) -> Iterator[str]:
        if lines:
            yield from self._heading(event)
        yield from (f"#{event.vertex.number} {line}" for line in lines)

    def _heading(self, event: Began | Printed | Ended | Explained) -> Iterator[str]:
        number = event.vertex.number
        if self._last != number:
            self._last = number
            yield f"#{number} {printable(event.vertex.name)}"

    def _whole_lines(self, event: Printed) -> list[str]:
        number = event.vertex.number
        place = (number, event.stream)
        *lines, rest = (self._partial.get(place, b"") + event.data).split(b"\n")
        self._partial[place] = rest
        return [self._timed(number, line) for line in lines]

    def _rest(self, number: int) -> list[bytes]:
        """What was printed last, without a line's end."""
        return [rest for stream in (1, 2) if (rest := self._partial.pop((number, stream), b""))]

    def _timed(self, number: int, line: bytes) -> str:
        seconds = time.monotonic() - self._began.get(number, time.monotonic())
        text = line.rstrip(b"\r").decode("utf-8", "replace")
        return f"{seconds:.3f} {text}"


def _outcome(event: Ended) -> str:
    if event.outcome == "cached":
        return "CACHED"
    if event.outcome == "wanted":
        return "WOULD BE MADE"
    if event.outcome == "failed":
        return f"ERROR: {printable_lines(str(event.error))}"
    if event.outcome == "cancelled":
        return "CANCELED"
    return f"DONE {event.took:.1f}s"
