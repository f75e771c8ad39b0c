"""Progress drawn on a terminal: one row for each layer, redrawn in place."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from millefeuille.annotations import Final, Self
from millefeuille.docker.units import human_size
from millefeuille.faces.cli.progress_words import MOVING, Around, layer_states, short
from millefeuille.faces.cli.terminal import Terminal
from millefeuille.oci.digest import Digest
from millefeuille.progress import Event, Finished, LayerAdvanced, LayerDone, LayerFound, Started
from millefeuille.values import dataclass

_REFRESH: Final = 12.0  # frames per second
_BAR_WIDTH: Final = 30
_WINDOW: Final = 3.0  # seconds over which speed is measured


class _Speed:
    """Bytes per second over the last few seconds."""

    def __init__(self) -> None:
        self._marks: list[tuple[float, int]] = []

    def mark(self, count: int) -> None:
        now = time.monotonic()
        self._marks.append((now, count))
        while len(self._marks) > 2 and now - self._marks[1][0] > _WINDOW:
            del self._marks[0]

    @property
    def rate(self) -> float:
        if len(self._marks) < 2:
            return 0.0
        (start, before), (end, after) = self._marks[0], self._marks[-1]
        return (after - before) / (end - start) if end > start else 0.0


@dataclass(slots=True)
class _Layer:
    state: str
    total: int
    speed: _Speed
    current: int = 0
    moving: bool = False
    done: bool = False

    def cells(self) -> tuple[RenderableType, ...]:
        """State, bar, sizes, speed."""
        style = "green" if self.done else ""
        if not self.moving or self.total <= 0:
            return Text(self.state, style=style), "", "", ""
        bar = ProgressBar(total=self.total, completed=self.current, width=_BAR_WIDTH)
        sizes = f"{human_size(self.current)}/{human_size(self.total)}"
        rate = self.speed.rate
        return Text(self.state), bar, sizes, f"{human_size(rate)}/s" if rate else ""


class Drawing:
    """A Progress on a terminal, drawn while it is entered; its last state stays on the screen.

    Reports may come from several threads. Lines about the whole image go above the rows.
    """

    def __init__(self, terminal: Terminal, verb: str) -> None:
        self._verb = verb
        self._around = Around(verb)
        self._layers: dict[Digest, _Layer] = {}
        self._total = _Speed()
        self._lock = threading.RLock()
        self._live = Live(
            console=Console(file=terminal.stdout, highlight=False, markup=False, soft_wrap=True),
            get_renderable=self._draw,
            refresh_per_second=_REFRESH,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        self._keep()

    def report(self, event: Event) -> None:
        """Take `event` into the picture."""
        with self._lock:
            if isinstance(event, (Started, Finished)):
                self._keep()
            if isinstance(event, LayerAdvanced):
                self._advance(event)
            found = layer_states(event, self._verb)
            if found is not None and found[1]:
                self._change(event, *found)
            lines = list(self._around.lines(event))
        for line in lines:
            self._live.console.print(line)

    def _advance(self, event: LayerAdvanced) -> None:
        layer = self._layer(event.digest, event.total)
        layer.state, layer.moving = MOVING[self._verb], True
        layer.current, layer.total = event.current, event.total
        layer.speed.mark(event.current)

    def _change(self, event: Event, digest: Digest, states: tuple[str, ...]) -> None:
        layer = self._layer(digest, event.total if isinstance(event, LayerFound) else 0)
        layer.state, layer.moving, layer.done = states[-1], False, isinstance(event, LayerDone)

    def _layer(self, digest: Digest, total: int) -> _Layer:
        return self._layers.setdefault(digest, _Layer(state="", total=total, speed=_Speed()))

    def _keep(self) -> None:
        """Leave the rows as they are on the screen, above the lines to come."""
        if self._layers:
            self._live.console.print(self._rows())
            self._layers.clear()

    def _draw(self) -> RenderableType:
        with self._lock:
            return Group(self._rows(), self._sum()) if self._moving() else self._rows()

    def _rows(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for digest, layer in self._layers.items():
            table.add_row(f"{short(digest)}:", *layer.cells())
        return table

    def _moving(self) -> bool:
        return any(layer.moving for layer in self._layers.values())

    def _sum(self) -> Text:
        layers = [layer for layer in self._layers.values() if layer.total > 0]
        current = sum(layer.total if layer.done else layer.current for layer in layers)
        total = sum(layer.total for layer in layers)
        self._total.mark(current)
        return Text(
            f"Total: {human_size(current)}/{human_size(total)}  {human_size(self._total.rate)}/s", style="dim"
        )
