"""Progress where no terminal shows it: Docker's lines, one for each change of state."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from millefeuille.faces.cli.progress_words import Around, layer_states, short
from millefeuille.faces.cli.terminal import ReaderGone, Terminal
from millefeuille.oci.digest import Digest
from millefeuille.progress import Event, Started


class Plain:
    """A Progress that prints to standard output. What a layer is doing is said when it changes."""

    def __init__(self, terminal: Terminal, verb: str) -> None:
        self._terminal: Terminal | None = terminal
        self._verb = verb
        self._around = Around(verb)
        self._states: dict[Digest, set[str]] = {}
        self._lock = threading.Lock()

    def report(self, event: Event) -> None:
        """Print what is new in `event`; nothing more once the reader has gone, for the work goes on."""
        with self._lock:
            try:
                self._print(event)
            except ReaderGone:
                self._terminal = None

    def _print(self, event: Event) -> None:
        if self._terminal is None:
            return
        if isinstance(event, Started):
            self._states.clear()
        lines = list(self._around.lines(event))
        found = layer_states(event, self._verb)
        if found is not None:
            lines += self._fresh(*found)
        for line in lines:
            self._terminal.line(line)
        self._terminal.flush()

    def _fresh(self, digest: Digest, states: tuple[str, ...]) -> Iterator[str]:
        said = self._states.setdefault(digest, set())
        for state in states:
            if state not in said:
                said.add(state)
                yield f"{short(digest)}: {state}"
