"""A screen with lines of text to be read: a file's content, or the keys."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from millefeuille.annotations import Final
from millefeuille.faces.tui.broken import BrokenLines
from millefeuille.faces.tui.key_names import name_of

WHEEL: Final = 3  # rows that one step of the wheel goes
_DONE = frozenset({"esc", "q", "v", "ctrl+c", "?"})


class Text(Widget, can_focus=True):
    """A title, and lines of text below it that are scrolled."""

    DEFAULT_CSS = "Text { width: 1fr; height: 1fr; }"

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._lines = BrokenLines(lines)
        self._shown: list[str] = []

    def on_resize(self) -> None:
        """Break the lines anew, and stay at the line that is shown first."""
        self._lines.fit(self.size.width, max(self.size.height - 1, 0))
        self._renew()

    def move(self, rows: int) -> None:
        """Scroll by some rows, as far as there is something."""
        self._lines.move(rows)
        self._renew()

    def to_start(self) -> None:
        """Show the first row."""
        self._lines.to_start()
        self._renew()

    def to_end(self) -> None:
        """Show the last row."""
        self._lines.to_end()
        self._renew()

    def _renew(self) -> None:
        self._shown = list(self._lines.shown())
        self.refresh()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Go down some rows."""
        event.stop()
        self.move(WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Go up some rows."""
        event.stop()
        self.move(-WHEEL)

    def render_line(self, y: int) -> Strip:
        """The title, or a line."""
        text = self._shown[y - 1] if 0 < y <= len(self._shown) else ""
        if not y:
            text = f"┃ {self._title} ┣{'━' * self.size.width}"
        return Strip([Segment(text)]).adjust_cell_length(self.size.width)


class FileScreen(Screen[None]):
    """A text under its title, both without anything that steers the terminal; escape, q or v close it."""

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self.text = Text(title, lines)

    def compose(self) -> ComposeResult:
        """Only the text."""
        yield self.text

    def on_mount(self) -> None:
        """Take the keys."""
        self.text.focus()

    def on_key(self, event: events.Key) -> None:
        """Scroll, or go back."""
        event.stop()
        event.prevent_default()
        if not self.is_current:
            return  # closed by a key that came with this one
        name = name_of(event.character if event.character and event.character.isprintable() else event.key)
        page = max(self.size.height - 2, 1)
        steps = {
            "up": -1, "k": -1, "down": 1, "j": 1, "pgup": -page, "u": -page, "pgdn": page, "d": page,
        }  # fmt: skip
        if name in _DONE or name_of(event.key) in _DONE:
            self.dismiss()
        elif name == "home":
            self.text.to_start()
        elif name == "end":
            self.text.to_end()
        elif name in steps:
            self.text.move(steps[name])
