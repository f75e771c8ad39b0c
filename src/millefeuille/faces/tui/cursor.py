"""Cursor: where somebody stands in a list of which a part is on the screen."""

from __future__ import annotations

from collections.abc import Callable


class Cursor:
    """The number of the row somebody stands on, and of the first that is shown."""

    def __init__(self) -> None:
        self.at = 0
        self.top = 0

    def move(self, to: int, height: int, exists: Callable[[int], bool], last: Callable[[], int]) -> None:
        """Go to a row, or the last there is; `height` rows are on the screen."""
        self.at = max(to, 0)
        if self.at and not exists(self.at):
            self.at = max(last(), 0)
        self.show(height)

    def show(self, height: int) -> None:
        """Have the row on the screen."""
        height = max(height, 1)
        self.top = min(max(self.top, self.at - height + 1), self.at)

    def fill(self, height: int, exists: Callable[[int], bool], last: Callable[[], int]) -> None:
        """Have the row on the screen, and no room left below the last one while there are rows above."""
        self.show(height)
        if self.top and not exists(self.top + height - 1):
            self.top = max(last() - height + 1, 0)
