"""The program: keys and the mouse in, frames out. Only this, `file` and `driver` load Textual here."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import threading
from collections.abc import Callable

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import App, ComposeResult
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from millefeuille.analysis.tree import Node
from millefeuille.annotations import Final
from millefeuille.errors import MilleError
from millefeuille.faces.cli.escaped import escaped
from millefeuille.faces.tui import ending
from millefeuille.faces.tui.driver import Driver
from millefeuille.faces.tui.extraction import extract
from millefeuille.faces.tui.file import WHEEL, FileScreen
from millefeuille.faces.tui.frame import boxes, frame
from millefeuille.faces.tui.help import help_lines
from millefeuille.faces.tui.keys import LAYERS, TREE, WASTE
from millefeuille.faces.tui.line import LOOKS, Line
from millefeuille.faces.tui.panes import tree_row
from millefeuille.faces.tui.state import State
from millefeuille.faces.tui.viewer import file_lines
from millefeuille.layers.entry import FILE

_STYLES: Final = {look: Style.parse(style) for look, (_, style) in LOOKS.items()}
_PATIENCE: Final = 5  # seconds
_HEAD: Final = 2  # lines above the rows of a list


class Canvas(Widget, can_focus=True):
    """The frame of a state."""

    DEFAULT_CSS = "Canvas { width: 1fr; height: 1fr; }"

    def __init__(self, state: State) -> None:
        super().__init__()
        self.state = state
        self._lines: list[Line] = []

    def renew(self) -> None:
        """Draw what changed."""
        self._lines = []
        self.refresh()

    def on_resize(self) -> None:
        """Make the lines anew."""
        self.renew()

    def render_line(self, y: int) -> Strip:
        """One line of the frame."""
        if not self._lines:
            self._lines = frame(self.state, self.size.width, self.size.height)
        line = self._lines[y] if y < len(self._lines) else ()
        return strip(line, self.size.width)


def strip(line: Line, width: int) -> Strip:
    """A line as Textual takes it."""
    return Strip([Segment(text, _STYLES[look]) for text, look in line]).adjust_cell_length(width)


def _writes(character: str | None) -> bool:
    """Whether a key writes something where text is typed."""
    return character is not None and character.isprintable()


class AnalyserApp(App[None], inherit_bindings=False):
    """The analyser. What takes long is worked out in the background after the first frame.

    Files are extracted below `target`.
    """

    ENABLE_COMMAND_PALETTE = False
    CSS = "Input { dock: bottom; height: 1; border: none; padding: 0; }"

    def __init__(self, state: State, *, target: str = ".") -> None:
        if not os.environ.get("NO_COLOR"):
            os.environ.pop("NO_COLOR", None)  # Textual takes an empty one for a wish
        super().__init__(driver_class=Driver)
        self.state = state
        self._target = target
        self._canvas = Canvas(state)
        self._filter: Input | None = None  # the line of the filter, while it is there
        self.ended_by = 0  # the number of the signal that ended it

    def compose(self) -> ComposeResult:
        """One widget: all panes are drawn by it."""
        yield self._canvas

    def on_mount(self) -> None:
        """Begin with the keys, and with the work that the first frame does not need."""
        self._canvas.focus()
        for number in ending.SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._end, number)
        self.call_after_refresh(self._begin_work)

    def _end(self, number: int) -> None:
        self.ended_by = number
        self.exit()

    def _begin_work(self) -> None:
        # No worker of Textual's: whoever leaves would have to wait for that.
        threading.Thread(target=self._work_out, daemon=True).start()

    def _work_out(self) -> None:
        try:
            self.state.viewed.work_out()
        except (MilleError, OSError) as error:
            self.call_later(self._say, str(error))
        else:
            self.call_later(self._work_done)

    def _work_done(self) -> None:
        # All that is there now stays until the end.
        gc.freeze()
        gc.enable()
        self.state.work_done()
        self._canvas.renew()

    def _say(self, text: str) -> None:
        self.state.message = text
        self._canvas.renew()

    async def on_event(self, event: events.Event) -> None:
        """Take every key that belongs to us before Textual has a meaning of its own for it."""
        if isinstance(event, events.Key) and self.screen is self.screen_stack[0]:
            is_end = event.key == "enter" and self.state.typing
            if is_end:
                await self._submit()
            if is_end or self._key(event.key, event.character):
                event.prevent_default()
                event.stop()
                return
        await super().on_event(event)

    def _key(self, key: str, character: str | None) -> bool:
        """Whether a key did something."""
        action = self._action(key, character)
        if self.state.typing and not (action == "quit" and not _writes(character)):
            if self.state.keys.action(self.state.focus, key) != "close-filter-files":
                # Keys that come with the one that opens the line are its own, and so are those after a click.
                self.screen.set_focus(self._filter)
                return False
            self._close_filter()
        if action is None:
            return False
        self.perform(action)
        return True

    def _action(self, key: str, character: str | None) -> str | None:
        name = character if character is not None and _writes(character) and len(key) > 1 else key
        name = key if name == " " else name
        name = "ctrl+h" if character == "\b" else name  # Textual calls it backspace
        pane = self.state.focus
        return self.state.keys.action(pane, name) or self.state.keys.action(pane, key)

    def perform(self, action: str) -> None:
        """Do what a key stands for."""
        own: dict[str, Callable[[], object]] = {
            "quit": self.exit, "filter-files": self._open_filter, "view-file": self._view,
            "extract-file": self._extract, "help": self._help,
        }  # fmt: skip
        if action in own:
            own[action]()
        else:
            self.state.act(action)
        self._canvas.renew()

    def _open_filter(self) -> None:
        wanted = self.state.browser.wanted
        self.state.typing = True
        self._filter = line = Input(
            value=wanted.text if wanted else "", placeholder="Filter: regex, size>1MB …",
            select_on_focus=False,
        )  # fmt: skip
        self.mount(line)
        self.screen.set_focus(line)
        line.select_all()  # what is typed takes the place of the last filter

    def _close_filter(self) -> None:
        self.state.typing = False
        if self._filter is not None:
            self._filter.remove()
            self._filter = None
        self.screen.set_focus(self._canvas)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what the filter line wants while it is typed."""
        if event.input is self._filter and event.value == event.input.value:  # else more was typed meanwhile
            self._apply(event.value)

    def _apply(self, wanted: str) -> None:
        try:
            self.state.filter(wanted)
            self.state.message = ""
        except MilleError as error:
            self.state.message = str(error)
        self._canvas.renew()

    async def _submit(self) -> None:
        """Go back to the tree; the filter stays. Here, since the keys behind this one are the tree's."""
        if self._filter is not None:
            typed = asyncio.Event()
            self._filter.call_later(typed.set)  # the line takes the keys in front of this one by itself
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(typed.wait(), _PATIENCE)
            self._apply(self._filter.value)
        self._close_filter()
        self.state.focus = TREE
        self._canvas.renew()

    def _file(self) -> Node | None:
        row = self.state.current
        if row is None or row.node.kind != FILE:
            self.state.message = "Only files have contents"
            return None
        if self.state.comparing:
            self.state.message = "Contents are not in the comparison"
            return None
        return row.node

    def _view(self) -> None:
        node = self._file()
        if node is not None:
            try:
                lines = file_lines(self.state.viewed.content(node))
            except (MilleError, OSError) as error:
                self.state.message = str(error)
            else:
                self.push_screen(FileScreen(f"/{escaped(node.path)}", lines))

    def _help(self) -> None:
        self.push_screen(FileScreen("Keys", help_lines(self.state.keys)))

    def _extract(self) -> None:
        node = self._file()
        if node is not None:
            try:
                path = extract(self.state.viewed.content(node), node.name, self._target)
            except (MilleError, OSError) as error:
                self.state.message = str(error)
            else:
                self.state.message = f"Extracted to {escaped(os.fsencode(path))}"

    def on_click(self, event: events.Click) -> None:
        """Go where somebody points."""
        pane, line = self._pointed(event)
        if pane is None or line < 0:
            return
        if pane == TREE:
            box = boxes(self.state, self._canvas.size.width, self._canvas.size.height)[TREE]
            self.state.select(TREE, tree_row(self.state, box.width, line))
        else:
            cursor = self.state.layer if pane == LAYERS else self.state.waste
            self.state.select(pane, cursor.top + line)
        self._canvas.renew()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Go down some rows."""
        self._scroll(event, "down")

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Go up some rows."""
        self._scroll(event, "up")

    def _scroll(self, event: events.MouseEvent, action: str) -> None:
        pane, _ = self._pointed(event)
        if pane is not None:
            self.state.focus = pane
            for _ in range(WHEEL):
                self.perform(action)

    def _pointed(self, event: events.MouseEvent) -> tuple[str | None, int]:
        """The list under the pointer, and the line of it, negative on its head; None where no list is."""
        if self.screen is self.screen_stack[0]:
            found = boxes(self.state, self._canvas.size.width, self._canvas.size.height)
            for pane, box in found.items():
                across, down = event.screen_x - box.left, event.screen_y - box.top
                if pane in (LAYERS, TREE, WASTE) and 0 <= across < box.width and 0 <= down < box.height:
                    return pane, int(down) - _HEAD
        return None, 0
