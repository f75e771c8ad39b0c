"""State: what is on the screen of the analyser, and what each action makes of it. Knows no terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from millefeuille.analysis.tree import Node
from millefeuille.annotations import Any, Final
from millefeuille.errors import MilleError
from millefeuille.faces.tui.browser import Browser, Row
from millefeuille.faces.tui.comparison import Comparison
from millefeuille.faces.tui.cursor import Cursor
from millefeuille.faces.tui.keys import LAYERS, TREE, WASTE, Keys
from millefeuille.faces.tui.preferences import KINDS, Preferences
from millefeuille.faces.tui.viewed import Viewed
from millefeuille.faces.tui.wanted import BadFilter, Wanted

_PANES: Final = (LAYERS, TREE, WASTE)


class State:
    """What somebody looks at. `heights` has for each pane the rows that it shows, and whoever draws sets it.

    `comparison` is another image to hold this one against.
    """

    def __init__(
        self, viewed: Viewed, preferences: Preferences, comparison: Comparison | None = None
    ) -> None:
        self.viewed = viewed
        self.preferences = preferences
        self.comparison = comparison
        self.keys = Keys(preferences.keys)
        self.focus = LAYERS
        self.aggregated = preferences.aggregated
        self.attributes = preferences.attributes
        self.wrap = False
        self.comparing = False
        self.typing = False  # whether the filter line is being written
        self.message = ""
        self.heights = dict.fromkeys(_PANES, 20)
        self.layer, self.row, self.waste = Cursor(), Cursor(), Cursor()
        self.browser = Browser(self._children, collapsed=preferences.collapsed)
        self.browser.hidden = set(preferences.hidden)
        self.browser.renew()
        self._actions = self._table()

    @property
    def below(self) -> int:
        """The layer after which the image is compared with how it is after layer `layer.at`."""
        # As Dive does: the lowest layer is held against itself.
        return 0 if self.aggregated else max(self.layer.at - 1, 0)

    @property
    def items(self) -> list[Mapping[str, Any]]:
        """The list of waste; empty while nobody knows it."""
        found: list[Mapping[str, Any]] = self.viewed.document["waste"] if self.viewed.document else []
        return found

    @property
    def current(self) -> Row | None:
        """The row of the tree that is selected."""
        return self.browser.row(self.row.at)

    def act(self, action: str) -> None:
        """Do what a key stands for; those that need a terminal are not known here. Raises KeyError."""
        self.message = ""
        try:
            self._actions[action]()
        except MilleError as error:
            self.message = str(error)

    def knows(self, action: str) -> bool:
        """Whether this action is done here."""
        return action in self._actions

    def filter(self, text: str) -> None:
        """Show only what a filter line wants. Raises BadFilter."""
        wanted = Wanted(text, self._paths) if text.strip() else None
        self.browser.wanted = wanted
        self.browser.allowed = self.viewed.places(wanted) if wanted and not self.comparing else None
        self._renew()

    def work_done(self) -> None:
        """Show what has been worked out meanwhile."""
        if not self.comparing:
            self._renew(keep=True)

    def select(self, pane: str, number: int) -> None:
        """Go to a row of a pane."""
        self.focus = pane
        self._go(number)

    def _children(self, path: bytes) -> list[Node]:
        if self.comparing and self.comparison is not None:
            return list(self.comparison.children(path))
        return list(self.viewed.children(path, self.below, self.layer.at))

    def _paths(self) -> set[bytes]:
        if self.comparing and self.comparison is not None:
            return self.comparison.paths()
        return self.viewed.paths()

    def _table(self) -> Mapping[str, Callable[[], object]]:
        toggles: dict[str, Callable[[], object]] = {
            f"toggle-{name}-files": lambda name=name: self._toggle(name)  # type: ignore[misc]
            for name in KINDS
        }
        return {
            **toggles,
            "toggle-view": self._next_pane, "close-filter-files": self._show_all,
            "up": lambda: self._go(self._cursor.at - 1), "down": lambda: self._go(self._cursor.at + 1),
            "page-up": lambda: self._go(self._cursor.at - self.heights[self.focus]),
            "page-down": lambda: self._go(self._cursor.at + self.heights[self.focus]),
            "first": lambda: self._go(0), "last": lambda: self._go(self._last()),
            "left": self._left, "right": self._right, "toggle-comparison": self._toggle_comparison,
            "compare-all": lambda: self._aggregate(True), "compare-layer": lambda: self._aggregate(False),
            "toggle-collapse-dir": self._turn, "toggle-collapse-all-dir": self._turn_all,
            "toggle-filetree-attributes": lambda: self._flip("attributes"),
            "toggle-wrap-tree": lambda: self._flip("wrap"), "toggle-sort-order": self._sort,
            "go-to-writer": lambda: self._jump("writer", "path"),
            "go-to-killer": lambda: self._jump("killer", "by"),
        }  # fmt: skip

    @property
    def _cursor(self) -> Cursor:
        return {LAYERS: self.layer, TREE: self.row, WASTE: self.waste}[self.focus]

    def _exists(self, number: int) -> bool:
        if self.focus == TREE:
            return self.browser.exists(number)
        return 0 <= number <= self._last()

    def _last(self) -> int:
        if self.focus == TREE:
            return self.browser.last()
        return len(self.items if self.focus == WASTE else self.viewed.image.parts) - 1

    def _go(self, number: int) -> None:
        before = self.layer.at
        self._cursor.move(number, self.heights[self.focus], self._exists, self._last)
        if self.layer.at != before:
            self._leave_comparison()
            self._renew(keep=True)

    def _show_all(self) -> None:
        if self.browser.wanted is not None:
            self.filter("")

    def _next_pane(self) -> None:
        place = _PANES.index(self.focus) + 1
        self.focus = _PANES[place % len(_PANES)]

    def _left(self) -> None:
        row = self.current
        if self.focus == TREE and row is not None and row.above >= 0:
            self._go(row.above)

    def _right(self) -> None:
        row = self.current
        if self.focus == TREE and row is not None and row.open is not None:
            self.browser.turn(row.node.path, open=True)
            self._go(self.row.at + 1)

    def _aggregate(self, aggregated: bool) -> None:
        self.aggregated = aggregated
        self._leave_comparison()
        self._renew(keep=True)

    def _leave_comparison(self) -> None:
        if self.comparing:
            self._toggle_comparison()

    def _toggle_comparison(self) -> None:
        if self.comparison is None:
            self.message = "No other image to compare with: start with --compare IMAGE"
            return
        self.comparing = not self.comparing
        try:
            self.filter(self.browser.wanted.text if self.browser.wanted else "")
        except BadFilter:
            self.filter("")
            raise

    def _toggle(self, name: str) -> None:
        shown = self.browser.toggle(KINDS[name])
        self.message = f"{name} files are {'shown' if shown else 'hidden'}"
        self._renew()

    def _turn(self) -> None:
        row = self.current
        if row is not None and row.open is not None:
            self.browser.turn(row.node.path)

    def _turn_all(self) -> None:
        self.browser.turn_all()
        self._renew()

    def _flip(self, name: str) -> None:
        setattr(self, name, not getattr(self, name))

    def _sort(self) -> None:
        self.browser.by_size = not self.browser.by_size
        self.message = "Sorted by size" if self.browser.by_size else "Sorted by name"
        self._renew()

    def _jump(self, layer: str, path: str) -> None:
        """Go from an item of the waste to a layer that had a part in it, and the path there."""
        if self.waste.at >= len(self.items):
            return
        item = self.items[self.waste.at]
        self.focus, self.comparing, self.aggregated = LAYERS, False, False
        self.layer.move(item[layer], self.heights[LAYERS], self._exists, self._last)
        self.browser.wanted = None
        self.browser.hidden.clear()
        self.browser.renew()
        self.focus = TREE
        number = self.browser.number_of(os.fsencode(item[path]))
        if number is None:
            self.message = f"/{item[path]} is not shown in layer {item[layer]}"
        self._go(number or 0)

    def _renew(self, *, keep: bool = False) -> None:
        """Make the tree anew; with `keep` stay at a path that is about where it was."""
        row = self.current if keep else None
        self.browser.renew()
        if row is not None:
            # Only as far as rows were made before: looking for it further down would take long.
            for number in range(min(self.row.at + self.heights[TREE], _NEARBY)):
                found = self.browser.row(number)
                if found is None:
                    break
                if found.node.path == row.node.path:
                    self.row.at = number
                    self.row.show(self.heights[TREE])
                    return
        self.row.at = self.row.top = 0


_NEARBY: Final = 2000  # rows
