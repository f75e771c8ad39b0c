"""The program, driven by its keys as a person would: every key, every view."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.faces.tui.conftest import STEPS, image_of, viewed_of
from textual.events import Key, MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot
from textual.widgets import Input

from millefeuille.analysis.compare import difference
from millefeuille.faces.tui.app import AnalyserApp, Canvas
from millefeuille.faces.tui.comparison import Comparison
from millefeuille.faces.tui.file import FileScreen
from millefeuille.faces.tui.keys import DEFAULTS, LAYERS, TREE, WASTE, Keys
from millefeuille.faces.tui.preferences import Preferences
from millefeuille.faces.tui.state import State
from millefeuille.testing import rawtars

Driven = Callable[[Pilot[None], AnalyserApp], Awaitable[None]]
_TERMINAL = {"pgup": "pageup", "pgdn": "pagedown", "ctrl+slash": "ctrl+underscore", "esc": "escape",
             "ctrl+space": "ctrl+@", "?": "question_mark"}  # fmt: skip


def drive(state: State, steps: Driven, *, target: Path | None = None) -> AnalyserApp:
    """Run the program with a person at the keys."""
    app = AnalyserApp(state, target=str(target or "."))

    async def sit() -> None:
        async with app.run_test(size=(120, 32)) as pilot:
            while not state.viewed.ready:
                await pilot.pause(0.01)
            await pilot.pause()
            await steps(pilot, app)

    asyncio.run(sit())
    return app


def text(app: AnalyserApp) -> str:
    """What is on the screen."""
    widget: Any = app.screen.query("Canvas, Text").first()
    return "\n".join(widget.render_line(y).text for y in range(widget.size.height))


def test_the_first_screen(state: State) -> None:
    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        shown = text(app)
        for part in (
            "┃ ● Layers ┣", "│ Layer Details ├", "│ Image Details ├", "│ Waste (4) ├",
            "Current Layer Contents",
            "test:1", "libx.so", "rwxr-xr-x", "Efficiency: ", "rm -r /usr/lib", "^f filter",
        ):  # fmt: skip
            assert part in shown, part

    drive(state, steps)


def test_every_key_does_what_it_is_for(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(AnalyserApp, "perform", lambda app, action: done.append(action))

    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        for pane, actions in DEFAULTS.items():
            app.state.focus = pane if pane in (LAYERS, TREE, WASTE) else LAYERS
            for action, keys in actions.items():
                for key in keys.split(","):
                    done.clear()
                    await pilot.press(_TERMINAL.get(key, key))
                    assert done == [action], (pane, key)
        app.state.focus = TREE
        await pilot.press("enter")  # what terminals send for ctrl+m
        assert done[-1] == "toggle-modified-files"

    drive(state, steps)


@pytest.mark.parametrize(("name", "key", "character"), [
    ("ctrl+]", "ctrl+right_square_bracket", "\x1d"), ("ctrl+^", "ctrl+circumflex_accent", "\x1e"),
    ("ctrl+h", "backspace", "\b"), ("backspace", "backspace", "\b"), ("backspace", "backspace", "\x7f"),
])  # fmt: skip
def test_keys_of_a_file_as_terminals_send_them(state: State, name: str, key: str, character: str) -> None:
    state.keys = Keys({"help": name})

    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        app.post_message(Key(key, character))
        await pilot.pause()
        assert isinstance(app.screen, FileScreen)

    drive(state, steps)


def test_walking_about(state: State) -> None:
    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await pilot.press("down")
        assert state.layer.at == 1
        assert "↵echo hi" in text(app) and "b\\x1b[31m" in text(app)
        await pilot.press("tab", "ctrl+r")
        assert "removed files are hidden" in text(app)
        await pilot.press("ctrl+r", "ctrl+b")
        assert "Permission" not in text(app)
        await pilot.press("ctrl+o")
        assert "(by size)" in text(app)
        await pilot.press("tab", "enter")
        assert (state.focus, state.layer.at) == (TREE, 0)

    drive(state, steps)


def test_the_filter_line(state: State) -> None:
    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await pilot.press("ctrl+f", *"quit", "backspace", "backspace", "backspace", "backspace")
        assert app.is_running  # q is a letter there
        await pilot.press(*"libx")
        assert "libx.so" in text(app) and "tool" not in text(app)
        await pilot.press("enter")
        assert "Filter: libx" in text(app)
        assert state.focus == TREE and not app.query(Input)
        await pilot.press("ctrl+f", *" size>x")
        assert "expected a size" in state.message
        await pilot.press("escape")
        assert not app.query(Input) and "tool" in text(app)

    drive(state, steps)


def test_a_file_is_viewed_and_extracted(state: State, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("mine")

    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await pilot.press("tab", "v")
        assert "Only files have contents" in text(app)
        await pilot.press("down", "down", "down", "v")
        assert isinstance(app.screen, FileScreen)
        assert "┃ /etc/text ┣" in text(app) and "two" in text(app)
        await pilot.press("j", "G", "end", "home", "escape")
        assert isinstance(app.screen.query("Canvas").first(), Canvas)
        await pilot.press("ctrl+e")
        assert "Extracted to" in text(app)
        await pilot.press("down", "down", "down", "v")
        assert "7f 45 4c 46 00" in text(app)
        await pilot.press("pagedown", "q", "k")
        assert not isinstance(app.screen, FileScreen)

    drive(state, steps, target=tmp_path)
    assert (tmp_path / "text").read_text() == "mine"
    assert (tmp_path / "text.1").read_text() == "one\ntwo\n"


def test_long_lines_of_a_file_are_shown_whole() -> None:
    ascii, wide = "".join(f"{number:06}" for number in range(100)), "\u4e2d\u6587" * 70
    content = f"first\n{ascii}\n{wide}\nlast\n"
    tar = rawtars.archive(rawtars.file(b"f", content.encode()))
    state = State(viewed_of(image_of((tar,), STEPS[:1]), (tar,)), Preferences())

    def shown(app: AnalyserApp) -> str:
        return "".join(line.rstrip() for line in text(app).splitlines()[1:])

    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await pilot.press("tab", "v")
        assert shown(app) == content.replace("\n", "")
        await pilot.resize_terminal(51, 8)
        await pilot.pause()
        await pilot.press("end")
        assert "last" in shown(app) and wide[-20:] in shown(app)
        await pilot.press("home", "down")
        assert shown(app).startswith(ascii[:300])
        await pilot.resize_terminal(30, 8)
        await pilot.pause()
        assert shown(app).startswith(ascii[:200])
        await pilot.resize_terminal(120, 32)
        await pilot.pause()
        assert shown(app) == content.replace("\n", "")

    drive(state, steps)


def test_no_file_is_viewed_in_the_comparison() -> None:
    old, new = rawtars.archive(rawtars.file(b"f", b"x")), rawtars.archive(rawtars.file(b"f", b"y"))
    images = [image_of((tar,), STEPS[:1]) for tar in (old, new)]
    state = State(viewed_of(images[1], (new,)), Preferences(), Comparison("old:1", difference(*images)))

    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await pilot.press("c", "tab", "v")
        assert "Contents are not in the comparison" in text(app)

    drive(state, steps)


def test_an_empty_file_is_shown() -> None:
    tar = rawtars.archive(rawtars.file(b"f", b""))
    state = State(viewed_of(image_of((tar,), STEPS[:1]), (tar,)), Preferences())

    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await pilot.press("tab", "v", "end", "down", "home")
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        assert "/f" in text(app)

    drive(state, steps)


def test_no_name_steers_the_terminal(state: State, tmp_path: Path) -> None:
    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        state.act("down")
        state.filter("text:opt/b")
        state.select(TREE, 1)
        await pilot.press("v")
        assert "┃ /opt/b\\x1b[31m ┣" in text(app) and "\x1b" not in text(app)
        await pilot.press("q", "ctrl+e")
        assert "\x1b" not in text(app)
        assert state.message == f"Extracted to {tmp_path}/b\\x1b[31m"

    drive(state, steps, target=tmp_path)


def _at_once(app: AnalyserApp, *keys: str) -> None:
    """Keys as they come in one read: none waits for what the one before it does."""
    for key in keys:
        app.post_message(Key(key, key if len(key) == 1 else None))


@pytest.mark.parametrize("keys", [
    ("question_mark", "q", "q"), ("v", "q", "q"), ("question_mark", "question_mark", "question_mark"),
    ("v", "escape", "v", "v"),
])  # fmt: skip
def test_keys_that_come_at_once_close_a_screen_once(state: State, keys: tuple[str, ...]) -> None:
    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await pilot.press("tab", "down", "down", "down")
        _at_once(app, *keys)
        await pilot.pause()
        await pilot.pause()
        assert app.is_running and len(app.screen_stack) == 1

    assert drive(state, steps).return_code in (0, None)


def test_the_filter_line_opens_once(state: State) -> None:
    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        _at_once(app, "ctrl+f", "ctrl+f", *"qlibx", "home", "delete")
        await pilot.pause()
        assert app.query_one(Input).value == "libx"
        assert "libx.so" in text(app) and "tool" not in text(app)
        await pilot.press("tab")
        await pilot.click(offset=(100, 4))
        await pilot.press("end", "backspace")
        assert app.query_one(Input).value == "lib"
        _at_once(app, "escape", "ctrl+f", "a", "escape", "ctrl+f", "b")
        await pilot.pause()
        assert app.query_one(Input).value == "b"
        await pilot.press("enter", "ctrl+f", "c")
        assert app.query_one(Input).value == "c"

    drive(state, steps)


def test_keys_behind_the_one_that_ends_the_filter_line_are_the_trees(state: State) -> None:
    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        _at_once(app, "ctrl+f", *"libx", "enter", "end", "ctrl+b")
        _at_once(app, "ctrl+f", *"text", "enter", "question_mark")
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.screen, FileScreen)
        await pilot.press("q")
        assert not app.query(Input)
        assert "Filter: text" in text(app) and "Permission" not in text(app)

    drive(state, steps)


def test_a_filter_that_is_typed_at_once_is_looked_for_once(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: list[str] = []
    monkeypatch.setattr(state, "filter", wanted.append)

    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await pilot.press("ctrl+f")
        _at_once(app, *"libx")
        await pilot.pause()
        assert wanted == ["libx"]

    drive(state, steps)


def test_an_expression_that_takes_too_long_is_told_of() -> None:
    tar = rawtars.archive(rawtars.file(b"QuoVadis_" + b"x" * 28, b"x"))
    state = State(viewed_of(image_of((tar,), STEPS[:1]), (tar,)), Preferences())

    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await pilot.press("ctrl+f")
        _at_once(app, *r"(\w+)*\.so$")
        await pilot.pause()
        assert r"(\w+)*\.so$: takes too long" in text(app)
        await pilot.press("escape")
        assert "QuoVadis" in text(app) and "too long" not in text(app)

    drive(state, steps)


def test_where_nothing_can_be_written_it_says_so(state: State, tmp_path: Path) -> None:
    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await pilot.press("tab", "down", "ctrl+e")
        assert "no such file" in text(app).lower()

    drive(state, steps, target=tmp_path / "gone")


def test_help_lists_every_action(state: State) -> None:
    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await pilot.press("question_mark")
        shown = text(app)
        assert "toggle collapse dir" in shown and Keys().key("toggle-collapse-dir") in shown
        await pilot.press("escape")

    drive(state, steps)


def test_the_mouse(state: State) -> None:
    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await pilot.click(offset=(10, 3))
        assert (state.focus, state.layer.at) == (LAYERS, 1)
        await pilot.click(offset=(100, 4))
        assert (state.focus, state.row.at) == (TREE, 2)
        await _turn_wheel(pilot, app, MouseScrollDown, 100, 4)
        assert state.row.at == 5
        await _turn_wheel(pilot, app, MouseScrollUp, 100, 4)
        assert state.row.at == 2

    drive(state, steps)


async def _turn_wheel(
    pilot: Pilot[None], app: AnalyserApp, turned: type[MouseScrollDown | MouseScrollUp], x: int, y: int
) -> None:
    app.post_message(turned(None, x, y, 0, 0, 0, False, False, False, x, y))
    await pilot.pause()
    await pilot.pause()


def test_the_wheel_turns_what_is_under_the_pointer(state: State) -> None:
    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await _turn_wheel(pilot, app, MouseScrollDown, 100, 4)
        assert (state.focus, state.layer.at, state.row.at) == (TREE, 0, 3)
        await _turn_wheel(pilot, app, MouseScrollDown, 10, 0)
        assert (state.focus, state.layer.at) == (LAYERS, 2)
        await _turn_wheel(pilot, app, MouseScrollUp, 10, 31)  # the status line
        assert (state.focus, state.layer.at) == (LAYERS, 2)

    drive(state, steps)


def test_the_mouse_leaves_alone_what_is_hidden(state: State) -> None:
    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await pilot.press("question_mark")
        await pilot.click(offset=(100, 4))
        first = text(app).splitlines()
        await _turn_wheel(pilot, app, MouseScrollDown, 100, 4)
        assert isinstance(app.screen, FileScreen) and text(app).splitlines()[1:10] == first[4:13]
        await _turn_wheel(pilot, app, MouseScrollUp, 100, 4)
        assert text(app).splitlines() == first
        assert (state.focus, state.layer.at, state.row.at) == (LAYERS, 0, 0)

    drive(state, steps)


def test_a_click_takes_the_row_it_is_on_where_rows_are_wrapped(state: State) -> None:
    state.act("toggle-wrap-tree")
    state.preferences = Preferences(tree_share=0.2)

    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        shown = text(app).splitlines()
        for name in ("tool", "keep"):
            line = next(number for number, each in enumerate(shown) if name in each[96:])
            await pilot.click(offset=(110, line))
            assert state.current is not None and state.current.node.name == name.encode()
        await pilot.click(offset=(110, 2))
        await pilot.click(offset=(110, 3))
        assert state.row.at == 0

    drive(state, steps)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_leaving(state: State, key: str) -> None:
    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await pilot.press(key)

    assert drive(state, steps).return_code == 0


def test_control_c_leaves_the_filter_line_too(state: State) -> None:
    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await pilot.press("ctrl+f", *"quit", "ctrl+c")

    assert drive(state, steps).return_code == 0


@pytest.mark.parametrize("opened", ["ctrl+f", "question_mark", "tab"])
def test_no_key_but_ours_leaves(state: State, opened: str) -> None:
    state.keys = Keys({"quit": "Q"})

    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        await pilot.press(opened)
        for key in ("ctrl+q", "ctrl+p", "ctrl+backslash", "shift+tab"):
            await pilot.press(key)
            assert app._exit is False and len(app.screen_stack) <= 2
        await pilot.press("ctrl+c")
        assert app._exit is False and not app.query("Toast")

    drive(state, steps)


def test_other_sizes(state: State) -> None:
    async def steps(pilot: Pilot[None], app: AnalyserApp) -> None:
        for width, height in ((60, 20), (200, 50), (30, 6)):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            assert "Layers" in text(app)

    drive(state, steps)
