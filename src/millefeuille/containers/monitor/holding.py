"""Holding: a container that somebody froze for a while, and who then vanished, is let go.

Whoever is killed may leave a runtime behind that is about to freeze it: so it is tried for a time.
"""

from __future__ import annotations

import time

from millefeuille.containers.monitor import launch
from millefeuille.containers.monitor.order import Order

_TRIES, _PAUSE = 20, 0.1  # seconds between two


class Holding:
    """`due` is when to `advance`, by the monotonic clock."""

    def __init__(self, order: Order) -> None:
        self.due = float("inf")
        self._order = order
        self._left = 0

    def lost(self) -> None:
        """Somebody who held the container is gone."""
        self.due, self._left = time.monotonic(), _TRIES

    def postpone(self) -> None:
        """Try later: somebody else holds the container, and would be undone."""
        self.due = time.monotonic() + _PAUSE

    def settle(self) -> None:
        """Try no more: the container is to be frozen, whoever froze it."""
        self.due = float("inf")

    def advance(self) -> bool:
        """Try once to let the container go; whether it was frozen."""
        self._left -= 1
        is_let_go = launch.run([*self._order.runtime, "resume", self._order.id]) == 0
        self.due = time.monotonic() + _PAUSE if self._left and not is_let_go else float("inf")
        return is_let_go
