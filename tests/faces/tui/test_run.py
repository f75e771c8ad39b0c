"""The end of the view."""

from __future__ import annotations

import gc
import io
import re

import pytest

from millefeuille.engine.analysis import Analysis
from millefeuille.errors import Failed
from millefeuille.faces.tui import app, ending
from millefeuille.faces.tui.run import begin, run
from millefeuille.faces.tui.state import State


class _Broken:
    ended_by = 0
    return_code = 1

    def __init__(self, state: State) -> None:
        pass

    def run(self) -> None:
        """Textual says what broke, and returns."""


def test_a_view_that_broke_off_is_a_failure(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "AnalyserApp", _Broken)
    terminal = io.StringIO()
    with pytest.raises(Failed, match="the view broke off"):
        run(state, terminal)
    assert terminal.getvalue().endswith("\x1b[?1049l")


@pytest.mark.parametrize(("value", "has_colours"), [(None, True), ("", True), ("1", False)])
def test_the_first_frame_has_the_colours_that_are_wanted(
    state: State, monkeypatch: pytest.MonkeyPatch, value: str | None, has_colours: bool
) -> None:
    monkeypatch.setattr(ending, "guard", lambda terminal: None)
    monkeypatch.setattr(gc, "disable", lambda: None)
    terminal = io.StringIO()
    environment = {} if value is None else {"NO_COLOR": value}
    begin(Analysis(image=state.viewed.image), terminal, (120, 30), environment=environment, home="/")
    codes = set(";".join(re.findall(r"\x1b\[([0-9;]*)m", terminal.getvalue())).split(";"))
    assert bool(codes & set(map(str, range(30, 38)))) == has_colours
    assert "1" in codes
    if value is not None:
        monkeypatch.setenv("NO_COLOR", value)
    assert app.AnalyserApp(state).no_color != has_colours  # the frames behind it too
