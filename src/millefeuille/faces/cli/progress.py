"""Which way progress is shown: drawn on a terminal, as Docker's plain lines off it, or not at all."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator

from millefeuille.annotations import Literal
from millefeuille.faces.cli.progress_plain import Plain
from millefeuille.faces.cli.terminal import Terminal
from millefeuille.progress import Event, Finished, Progress, Silent
from millefeuille.values import replace

Verb = Literal["pull", "push", "load"]


@contextlib.contextmanager
def shown(terminal: Terminal, verb: Verb, *, quiet: bool = False) -> Iterator[Progress]:
    """A reporter for one command; what it drew is finished when the block ends.

    `quiet` shows nothing; `load` shows nothing off a terminal, as Docker does.
    """
    if quiet or (verb == "load" and not terminal.interactive):
        yield Silent()
    elif terminal.interactive:
        drawing = importlib.import_module("millefeuille.faces.cli.progress_tty")
        with drawing.Drawing(terminal, verb) as drawn:
            yield drawn
    else:
        yield Plain(terminal, verb)


class WithoutStatus:
    """A Progress that passes on all but the closing sentences, for a command that says one of its own."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def report(self, event: Event) -> None:
        """Pass `event` on."""
        self._progress.report(replace(event, status="") if isinstance(event, Finished) else event)
