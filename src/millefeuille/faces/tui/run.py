"""The analyser begins: the first frame is on the terminal before Textual is loaded."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol, TextIO

from millefeuille.analysis.compare import difference
from millefeuille.analysis.schema import Document
from millefeuille.engine.analysis import Analysis
from millefeuille.engine.contents import content
from millefeuille.faces.tui.comparison import Comparison
from millefeuille.faces.tui.frame import frame
from millefeuille.faces.tui.line import printed
from millefeuille.faces.tui.preferences import preferences
from millefeuille.faces.tui.state import State
from millefeuille.faces.tui.viewed import Viewed
from millefeuille.store.store import Store

_ALTERNATE = "\x1b[?1049h\x1b[?25l"
_BACK = "\x1b[?25h\x1b[?1049l"


class _App(Protocol):
    def run(self) -> object: ...


def run(
    analysis: Analysis,
    terminal: TextIO,
    size: tuple[int, int],
    *,
    environment: Mapping[str, str],
    home: str,
    document: Document | None = None,
    store: Store | None = None,
    before: Analysis | None = None,
) -> None:
    """Show an image on a terminal of this many columns and lines until somebody leaves.

    `document` is what was known of it before, `store` has the contents of its files, `before` is another
    image to hold it against. Raises BadPreference, BrokenLink.
    """
    comparison = None
    if before is not None:
        comparison = Comparison(before.image.name, difference(before.image, analysis.image))
    read = partial(content, store, analysis.image) if store is not None else None
    viewed = Viewed(analysis, document=document, read=read)
    state = State(viewed, preferences(environment, home), comparison)
    # Loading Textual takes longer than all before it; nobody has to wait for that to see something.
    terminal.write(_ALTERNATE + printed(frame(state, *size)))
    terminal.flush()
    try:
        app: Callable[[State], _App] = importlib.import_module("millefeuille.faces.tui.app").AnalyserApp
        app(state).run()
    finally:
        terminal.write(_BACK)
        terminal.flush()
