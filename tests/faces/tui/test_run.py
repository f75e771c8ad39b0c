"""The end of the view."""

from __future__ import annotations

import io

import pytest

from millefeuille.errors import Failed
from millefeuille.faces.tui import app
from millefeuille.faces.tui.run import run
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
