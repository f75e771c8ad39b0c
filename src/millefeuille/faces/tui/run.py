"""The analyser begins: the first frame is on the terminal before Textual is loaded."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable, Mapping
from functools import partial

from millefeuille.analysis.compare import difference
from millefeuille.analysis.schema import Document
from millefeuille.annotations import Protocol, TextIO
from millefeuille.engine.analysis import Analysis
from millefeuille.engine.contents import content
from millefeuille.errors import Failed
from millefeuille.faces.tui import ending
from millefeuille.faces.tui.comparison import Comparison
from millefeuille.faces.tui.frame import frame
from millefeuille.faces.tui.line import printed
from millefeuille.faces.tui.preferences import preferences
from millefeuille.faces.tui.state import State
from millefeuille.faces.tui.viewed import Viewed
from millefeuille.store.store import Store

_ALTERNATE = "\x1b[?1049h\x1b[?25l"


class _App(Protocol):
    ended_by: int

    @property
    def return_code(self) -> int | None: ...

    def run(self) -> object: ...


def begin(
    analysis: Analysis,
    terminal: TextIO,
    size: tuple[int, int],
    *,
    environment: Mapping[str, str],
    home: str,
    known: Callable[[], Document | None] | None = None,
    store: Store | None = None,
    before: Analysis | None = None,
    config: str = "",
) -> State:
    """Put the first frame on a terminal of this many columns and lines.

    `known` gives what was worked out before, `store` has the contents of files, `before` is another image to
    hold this one against, `config` the one file with preferences. Raises BadPreference, BrokenLink.
    """
    comparison = None
    if before is not None:
        comparison = Comparison(before.image.name, difference(before.image, analysis.image))
    read = partial(content, store, analysis.image) if store is not None else None
    wishes = preferences(environment, home, config)
    state = State(Viewed(analysis, known=known, read=read), wishes, comparison)
    first = _ALTERNATE + printed(frame(state, *size), colours=not environment.get("NO_COLOR"))
    ending.guard(terminal)
    terminal.write(first)
    terminal.flush()
    # What is made until the program is complete stays: looking for garbage in it is time lost.
    gc.disable()
    return state


def run(state: State, terminal: TextIO) -> None:
    """Let somebody look around until they leave, or a signal ends it, and this process with it.

    Raises Failed when the view broke off; it has told then what happened.
    """
    ended_by, failed = 0, False
    try:
        # Loading Textual takes longer than all before it; nobody has to wait for that to see something.
        app: Callable[[State], _App] = importlib.import_module("millefeuille.faces.tui.app").AnalyserApp
        running = app(state)
        running.run()
        ended_by, failed = running.ended_by, bool(running.return_code)
    finally:
        ending.give_back(terminal)
    if ended_by:
        ending.end(terminal, ended_by)
    if failed:
        raise Failed("internal error: the view broke off", advice="This is a defect of mille.")
