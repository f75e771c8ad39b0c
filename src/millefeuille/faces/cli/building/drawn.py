"""A build on a terminal: a live tree of steps; below those that run, the last lines they printed."""

from __future__ import annotations

import threading
import time
from collections import deque
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from millefeuille.annotations import Final, Self
from millefeuille.build.report import Began, Ended, Event, Explained, Noted, Printed, Vertex
from millefeuille.faces.cli.escaped import printable, printable_lines
from millefeuille.faces.cli.terminal import Terminal
from millefeuille.values import dataclass, field

_REFRESH: Final = 10.0  # frames per second
_LINES: Final = 6  # of what a running command printed last
_MARKS: Final = {"done": "", "cached": "CACHED ", "failed": "ERROR ", "cancelled": "CANCELED ",
    "wanted": "WOULD BE MADE ",
}  # fmt: skip
_STYLES: Final = {"done": "blue", "cached": "blue", "failed": "red", "cancelled": "yellow",
    "wanted": "yellow",
}  # fmt: skip


@dataclass(slots=True)
class _Row:
    vertex: Vertex
    began: float
    ended: Ended | None = None
    partial: bytes = b""
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES))

    def text(self) -> Text:
        """The step on one line, its seconds at the end."""
        end = self.ended
        took = time.monotonic() - self.began if end is None else end.took
        mark, style = (_MARKS[end.outcome], _STYLES[end.outcome]) if end else ("", "")
        line = f" => {mark}{printable(self.vertex.name)}  {took:.1f}s"
        return Text(line, style=style, overflow="ellipsis", no_wrap=True)

    def add(self, data: bytes) -> None:
        """Take what the command printed."""
        *lines, self.partial = (self.partial + data).split(b"\n")
        self.lines.extend(line.rstrip(b"\r").decode("utf-8", "replace") for line in lines)


class DrawnBuild:
    """A Reporter on a terminal, drawn while it is entered; its last state stays on the screen."""

    def __init__(self, terminal: Terminal) -> None:
        self._rows: dict[int, _Row] = {}
        self._lock = threading.RLock()
        self._start = time.monotonic()
        self._closing = False
        self._live = Live(
            console=Console(file=terminal.stderr, highlight=False, markup=False),
            get_renderable=self._draw,
            refresh_per_second=_REFRESH,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._live.stop()

    def report(self, event: Event) -> None:
        """Take `event` into the picture."""
        with self._lock:
            if isinstance(event, Noted):
                self._live.console.print(printable_lines(event.message))
            elif isinstance(event, Began):
                self._row(event.vertex)
            elif isinstance(event, Printed):
                self._row(event.vertex).add(event.data)
            elif isinstance(event, Explained):
                self._live.console.print(printable_lines(f"{event.vertex.name}: {event.text}"))
            elif isinstance(event, Ended):
                self._row(event.vertex).ended = event

    def _row(self, vertex: Vertex) -> _Row:
        return self._rows.setdefault(vertex.number, _Row(vertex, time.monotonic()))

    def _draw(self) -> Group:
        with self._lock:
            rows = list(self._rows.values())
            over = sum(row.ended is not None for row in rows)
            seconds = time.monotonic() - self._start
            state = "FINISHED" if self._closing else ""
            parts = [Text(f"[+] Building {seconds:.1f}s ({over}/{len(rows)}) {state}", style="blue")]
            for row in rows:
                parts.append(row.text())
                if row.ended is None:
                    lines = (f" => => # {line}" for line in row.lines)
                    parts += [Text(line, overflow="ellipsis", no_wrap=True) for line in lines]
            return Group(*parts)
