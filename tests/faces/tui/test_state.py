"""What each action makes of what is shown, without a terminal."""

from __future__ import annotations

import signal
import time

import pytest
from rich.cells import cell_len
from tests.faces.tui.conftest import BASE, MIDDLE, STEPS, TOP, image_of, viewed_of

from millefeuille.analysis.compare import difference
from millefeuille.analysis.tree import Node
from millefeuille.faces.tui.comparison import Comparison
from millefeuille.faces.tui.frame import boxes, frame
from millefeuille.faces.tui.keys import DEFAULTS, EVERYWHERE, LAYERS, TREE, WASTE, Keys
from millefeuille.faces.tui.line import printed
from millefeuille.faces.tui.panes import tree_row
from millefeuille.faces.tui.preferences import Preferences
from millefeuille.faces.tui.state import State
from millefeuille.faces.tui.wanted import BadFilter, Wanted
from millefeuille.layers.entry import DIRECTORY, FILE, SYMLINK
from millefeuille.testing import rawtars


def test_layers_are_compared_with_those_below(state: State) -> None:
    assert _tree(state) == {
        "etc": "unchanged", "etc/a": "unchanged", "etc/keep": "unchanged", "etc/text": "unchanged",
        "usr": "unchanged", "usr/bin": "unchanged", "usr/bin/tool": "unchanged", "usr/lib": "unchanged",
        "usr/lib/libx.so": "unchanged", "usr/lib/liby.so": "unchanged",
    }  # fmt: skip
    state.act("down")
    found = _tree(state)
    assert (found["etc/a"], found["etc/keep"], found["new"]) == ("removed", "modified", "added")
    state.act("down")
    found = _tree(state)
    assert (found["usr/lib/libx.so"], found["new"], found["etc/keep"]) == ("removed", "modified", "unchanged")
    assert "etc/a" not in found
    state.act("compare-all")
    found = _tree(state)
    assert (found["etc/a"], found["new"], found["etc/keep"]) == ("removed", "added", "modified")
    state.act("compare-layer")
    assert "etc/a" not in _tree(state)


def test_no_message_steers_the_terminal(state: State) -> None:
    state.message = "/b\x1b]0;title\x07 is not here, nor is \udcff"
    assert "".join(span.text for span in frame(state, 120, 32)[-1]).rstrip() == (
        "/b\ufffd]0;title\ufffd is not here, nor is \ufffd"
    )


def test_panes_take_turns(state: State) -> None:
    seen = []
    for _ in range(4):
        seen.append(state.focus)
        state.act("toggle-view")
    assert seen == [LAYERS, TREE, WASTE, LAYERS]


def test_directories_open_and_close(state: State) -> None:
    state.focus = TREE
    state.act("toggle-collapse-dir")
    assert _names(state) == ["etc", "usr", "bin", "tool", "lib", "libx.so", "liby.so"]
    state.act("right")
    assert _names(state)[:2] == ["etc", "a"]
    assert state.current is not None and state.current.node.path == b"etc/a"
    state.act("left")
    assert state.current.node.path == b"etc"
    state.act("toggle-collapse-all-dir")
    assert _names(state) == ["etc", "usr"]
    state.act("toggle-collapse-all-dir")
    assert len(_names(state)) == 10


def test_moving_stops_at_both_ends(state: State) -> None:
    state.focus = TREE
    frame(state, 120, 12)
    for action, row in (("up", 0), ("down", 1), ("page-down", 9), ("page-up", 0), ("last", 9), ("down", 9)):
        state.act(action)
        assert state.row.at == row, action
    state.act("first")
    assert (state.row.at, state.row.top) == (0, 0)


@pytest.mark.parametrize(
    ("kind", "gone"),
    [
        ("added", {"new", "opt/b\x1b[31m", "opt"}), ("removed", {"etc/a"}),
        ("modified", {"etc/keep"}), ("unmodified", {"etc/text", "usr/bin/tool", "usr"}),
    ],
)  # fmt: skip
def test_kinds_of_change_are_hidden(state: State, kind: str, gone: set[str]) -> None:
    state.act("down")
    whole = _tree(state)
    state.act(f"toggle-{kind}-files")
    left = _tree(state)
    assert gone <= whole.keys() and not gone & left.keys()
    assert whole.keys() - left.keys() <= gone | {name for name in whole if name.startswith("usr")}
    assert kind in state.message
    state.act(f"toggle-{kind}-files")
    assert _tree(state) == whole


def test_sizes_sort_when_they_are_known(state: State) -> None:
    state.viewed.work_out()
    state.work_done()
    state.act("toggle-sort-order")
    assert _names(state) == [
        "usr", "lib", "libx.so", "liby.so", "bin", "tool", "etc", "keep", "a", "text",
    ]  # fmt: skip
    state.act("toggle-sort-order")
    assert _names(state)[0] == "etc"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (r"lib.\.so$", ["libx.so", "liby.so"]), ("text:x.s", ["libx.so"]), ("size>1MB", ["libx.so"]),
        ("size>10B size<1kB etc", ["a", "keep"]), ("change:added", []), ("*", []), ("nothing", []),
        ("change:unchanged tool", ["tool"]),
    ],
)  # fmt: skip
def test_filters(state: State, text: str, left: list[str]) -> None:
    state.filter(text)
    assert [row.name for row in _nodes(state) if row.kind != 2] == [name.encode() for name in left]
    state.act("close-filter-files")
    assert len(_names(state)) == 10


@pytest.mark.parametrize("text", ["size>much", "change:blue"])
def test_a_filter_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(BadFilter):
        Wanted(text, list)


def test_hard_links_are_the_files_that_they_name() -> None:
    lower = rawtars.archive(rawtars.file(b"a", b"x"), rawtars.hardlink(b"b", b"a"))
    upper = rawtars.archive(rawtars.file(b"a", b"y" * 2000, mode=0o600), rawtars.hardlink(b"b", b"a"))
    state = State(viewed_of(image_of((lower, upper), STEPS[:2]), (lower, upper)), Preferences())
    state.act("down")
    state.act("toggle-unmodified-files")
    assert _tree(state) == {"a": "modified", "b": "modified"}
    assert "-rw-------" in printed(frame(state, 120, 30)) and "?rw" not in printed(frame(state, 120, 30))
    state.filter("size>1kB")
    assert _names(state) == ["a", "b"]
    link = _nodes(state)[1]
    assert b"".join(state.viewed.content(link)) == b"y" * 2000


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("m.in$", ["main", "mäin"]), ("m[äö]in", ["mäin"]), ("text:ä", ["mäin"]), ("b.d", ["b\udcffd"]),
        (r"/m\w*$", ["main"]), ("^/m[a-z]in", ["main"]), ("(?i)MAIN", ["main"]), ("MAIN", []),
        ("text:MAIN", []),
    ],
)  # fmt: skip
def test_a_filter_finds_characters_and_not_bytes(text: str, left: list[str]) -> None:
    names = (b"b\xffd", b"main", "mäin".encode())
    tar = rawtars.archive(*(rawtars.file(name, b"x") for name in names))
    state = State(viewed_of(image_of((tar,), STEPS[:1]), (tar,)), Preferences())
    state.filter(text)
    found = [node.name.decode("utf-8", "surrogateescape") for node in _nodes(state)]
    assert found == left


@pytest.mark.parametrize("text", ["(?u)a+", "a{99999999999}", "(" * 3000, "a{1001}", "(?:a?){2,1000000000}"])
def test_what_is_no_expression_is_looked_for_as_it_is(text: str) -> None:
    here = b"etc/" + text.encode()
    wanted = Wanted(text, lambda: [b"a", here])
    assert wanted.path_fits(here) and not wanted.path_fits(b"a")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (r"(\w+)*\.so$", b"a" * 37), ("(a|a)*b", b"a" * 37), ("a*[ab]*c", b"a" * 4000),
        ("(?=(a+)+b)c", b"a" * 37), ("(?:(?:(?:a?){999}){999}){999}", b"a" * 37),
    ],
)  # fmt: skip
def test_an_expression_that_would_take_years_is_refused(text: str, name: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(BadFilter, match="takes too long"):
        Wanted(text, lambda: [name])
    assert time.monotonic() - started < 3
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_filter_that_takes_too_long_for_another_image_goes() -> None:
    old, new = (rawtars.archive(rawtars.file(name, b"x")) for name in (b"a" * 37, b"b"))
    images = [image_of((tar,), STEPS[:1]) for tar in (old, new)]
    state = State(viewed_of(images[1], (new,)), Preferences(), Comparison("old:1", difference(*images)))
    state.filter(r"(\w+)*\.so$")  # quick for `b`
    state.act("toggle-comparison")
    assert "takes too long" in state.message
    assert _tree(state) == {"a" * 37: "removed", "b": "added"}


def test_without_a_filter_its_end_moves_nothing(state: State) -> None:
    state.focus = TREE
    for _ in range(4):
        state.act("down")
    state.act("close-filter-files")
    assert state.row.at == 4


def test_waste_leads_to_who_wrote_and_who_killed(state: State) -> None:
    state.viewed.work_out()
    state.work_done()
    assert [item["path"] for item in state.items] == ["usr/lib/libx.so", "new", "etc/keep", "etc/a"]
    state.focus = WASTE
    state.act("go-to-killer")
    assert (state.layer.at, state.focus) == (2, TREE)
    assert state.current is not None and state.current.node.path == b"usr/lib"
    assert state.current.node.change == "removed"
    state.focus = WASTE
    state.act("last")
    state.act("go-to-writer")
    assert state.layer.at == 0
    assert state.current.node.path == b"etc/a"


def test_another_image_is_compared() -> None:
    tars = (BASE, MIDDLE, TOP)
    new, old = image_of(tars, STEPS), image_of((BASE,), STEPS[:1])
    state = State(viewed_of(new, tars), Preferences(), Comparison("old:1", difference(old, new)))
    state.act("toggle-comparison")
    found = _tree(state)
    assert found["new"] == "added" and found["etc/a"] == "removed" and found["etc/keep"] == "modified"
    assert "etc/text" not in found
    assert "Compared with old:1" in printed(frame(state, 120, 30))
    state.act("toggle-comparison")
    assert "etc/text" in _tree(state)


def test_directories_that_differ_by_themselves_are_directories() -> None:
    old = rawtars.archive(rawtars.directory(b"mode"), rawtars.directory(b"gone"), rawtars.file(b"file", b"x"))
    new = rawtars.archive(
        rawtars.directory(b"mode", mode=0o700), rawtars.directory(b"empty"), rawtars.symlink(b"link", b"x")
    )
    images = [image_of((tar,), STEPS[:1]) for tar in (old, new)]
    state = State(viewed_of(images[1], (new,)), Preferences(), Comparison("old:1", difference(*images)))
    state.act("toggle-comparison")
    kinds, number = {}, 0
    while (row := state.browser.row(number)) is not None:
        kinds[row.node.path] = (row.node.kind, row.node.change)
        number += 1
    assert kinds == {
        b"mode": (DIRECTORY, "metadata"), b"gone": (DIRECTORY, "removed"), b"empty": (DIRECTORY, "added"),
        b"file": (FILE, "removed"), b"link": (SYMLINK, "added"),
    }  # fmt: skip
    lines = printed(frame(state, 120, 30)).split("\r\n")
    assert not any("mode" in line and " 0B " in line for line in lines)


def test_without_another_image_it_says_how(state: State) -> None:
    state.act("toggle-comparison")
    assert "--compare" in state.message


def test_every_action_has_a_key_and_is_known(state: State) -> None:
    keys = Keys()
    of_the_program = {"quit", "filter-files", "view-file", "extract-file", "help"}
    for pane, actions in DEFAULTS.items():
        for action in actions:
            assert keys.action(LAYERS if pane == EVERYWHERE else pane, keys.key(action)) == action
            assert state.knows(action) != (action in of_the_program)


def test_preferences_begin_the_view() -> None:
    tars = (BASE, MIDDLE, TOP)
    wish = Preferences(collapsed=True, hidden=frozenset({"unchanged"}), aggregated=True, attributes=False)
    state = State(viewed_of(image_of(tars, STEPS), tars), wish)
    assert _names(state) == []
    state.act("down")
    assert _names(state) == ["etc", "new", "opt"]
    assert "Aggregated" in printed(frame(state, 120, 30))
    assert "Permission" not in printed(frame(state, 120, 30))


@pytest.mark.parametrize("size", [(200, 60), (120, 30), (80, 24), (60, 20), (20, 5), (1, 2), (73, 9)])
def test_a_frame_fills_any_screen(state: State, size: tuple[int, int]) -> None:
    width, height = size
    for _ in range(3):
        lines = frame(state, width, height)
        assert len(lines) == height
        assert {sum(len(span.text) for span in line) for line in lines} == {width}
        state.act("toggle-view")


def test_a_name_cannot_steer_the_terminal(state: State) -> None:
    state.act("down")
    shown = "".join(span.text for line in frame(state, 160, 40) for span in line)
    assert "\x1b" not in shown and r"b\x1b[31m" in shown
    assert "rm /etc/a↵echo hi" in shown


def _nodes(state: State) -> list[Node]:
    return [row.node for number in range(state.browser.last() + 1) if (row := state.browser.row(number))]


def _names(state: State) -> list[str]:
    return [node.name.decode() for node in _nodes(state)]


def _tree(state: State) -> dict[str, str]:
    return {node.path.decode(): node.change for node in _nodes(state)}


def test_long_rows_wrap_and_the_selected_one_stays_on_the_screen(state: State) -> None:
    state.focus = TREE
    state.act("toggle-wrap-tree")
    for _ in range(12):
        shown = [span for line in frame(state, 44, 7) for span in line if span.look == "selected"]
        assert shown
        state.act("down")
    state.act("toggle-wrap-tree")
    assert sum(span.look == "selected" for line in frame(state, 44, 7) for span in line) > 0


@pytest.mark.parametrize("size", [(100, 24), (73, 30), (44, 30)])
def test_wrapped_rows_lose_nothing_where_characters_are_wide(size: tuple[int, int]) -> None:
    letters = "".join(chr(0x4E00 + number) for number in range(80))
    tar = rawtars.archive(
        *(rawtars.pax({b"path": f"{number}{letters}".encode()}) + rawtars.file(b"x") for number in range(3))
    )
    state = State(viewed_of(image_of((tar,), STEPS[:1]), (tar,)), Preferences())
    state.focus = TREE
    state.act("toggle-wrap-tree")
    for number in range(3):
        lines = frame(state, *size)
        assert {sum(cell_len(span.text) for span in line) for line in lines} == {size[0]}
        selected = "".join(span.text for line in lines for span in line if span.look == "selected")
        assert selected.replace(" ", "").endswith(f"{number}{letters}")
        top = next(at for at, line in enumerate(lines) if any(span.look == "selected" for span in line))
        box = boxes(state, *size)[TREE]
        assert tree_row(state, box.width, top - box.top - 2) == number
        state.act("down")


@pytest.mark.parametrize("wrap", [False, True])
def test_a_screen_that_grows_is_filled(wrap: bool) -> None:
    tars = [
        rawtars.archive(rawtars.file(b"same", bytes([number])), rawtars.file(b"f%02d" % number, b"x"))
        for number in range(30)
    ]
    state = State(viewed_of(image_of(tars, [f"step {number}" for number in range(30)]), tars), Preferences())
    state.viewed.work_out()
    state.work_done()
    if wrap:
        state.act("toggle-wrap-tree")

    def shown(height: int) -> str:
        return "\n".join("".join(span.text for span in line) for line in frame(state, 120, height))

    for pane, first in ((LAYERS, "step 0"), (TREE, "f00"), (WASTE, " 0→1 ")):
        state.focus = pane
        shown(12)
        state.act("last")
        assert first not in shown(12)
        at = {LAYERS: state.layer, TREE: state.row, WASTE: state.waste}[pane].at
        assert first in shown(120)
        assert {LAYERS: state.layer, TREE: state.row, WASTE: state.waste}[pane].at == at


def test_changes_of_directories_do_not_hide_what_is_in_them(state: State) -> None:
    state.act("down")
    state.filter("change:removed")
    assert [node.path for node in _nodes(state)] == [b"etc", b"etc/a"]
    state.filter("change:added size>500B")
    assert [node.path for node in _nodes(state)] == [b"new"]


@pytest.mark.parametrize("action", ["", "toggle-unmodified-files", "toggle-sort-order"])
@pytest.mark.parametrize("text", ["", "leaf", "leaf size>0", "change:unchanged"])
def test_trees_may_be_as_deep_as_layers_may(action: str, text: str) -> None:
    path = b"/".join([b"d"] * 1000)
    tar = rawtars.archive(rawtars.pax({b"path": path + b"/leaf"}), rawtars.file(b"leaf", b"x"))
    state = State(viewed_of(image_of((tar,), STEPS[:1]), (tar,)), Preferences())
    state.viewed.work_out()
    state.work_done()
    if action:
        state.act(action)
    state.filter(text)
    state.focus = TREE
    state.act("last")
    shown = action != "toggle-unmodified-files"
    assert len(_names(state)) == (1001 if shown else 0)
    assert state.row.at == (1000 if shown else 0)
    state.act("toggle-collapse-all-dir")
    assert len(_names(state)) == shown
    assert state.browser.number_of(path + b"/leaf") == (1000 if shown else None)


def test_an_image_without_layers_is_empty() -> None:
    state = State(viewed_of(image_of((), ()), ()), Preferences())
    for _ in range(3):
        assert "No file is shown" in printed(frame(state, 120, 30))
        for action in ("down", "last", "left", "right", "toggle-collapse-dir", "compare-all", "go-to-writer"):
            state.act(action)
        state.act("toggle-view")
    state.viewed.work_out()
    state.work_done()
    assert "Nothing is wasted" in printed(frame(state, 120, 30))
