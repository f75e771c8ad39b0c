"""A function as the one who watches a build."""

from __future__ import annotations

from collections.abc import Callable

from millefeuille.build.report import Event


class Watching:
    """A Reporter that hands every event to a function. It is called from several threads at once."""

    def __init__(self, tell: Callable[[Event], object]) -> None:
        self._tell = tell

    def report(self, event: Event) -> None:
        """Hand the event on."""
        self._tell(event)
