"""One name for each key, and none for what is no key."""

from __future__ import annotations

import pytest

from millefeuille.faces.tui.key_names import is_key, name_of
from millefeuille.faces.tui.keys import DEFAULTS


@pytest.mark.parametrize(("keys", "name"), [
    (("Ctrl + Space", "ctrl+@", "ctrl+at", "ctl+2", "ctrl+~"), "ctrl+space"),
    (("ctrl+]", "Ctrl+RsqBracket", "ctrl+right_square_bracket", "ctrl+5"), "ctrl+]"),
    (("ctrl+^", "ctrl+circumflex_accent", "ctrl+6"), "ctrl+^"),
    (("ctrl+\\", "ctrl+backslash", "ctrl+4"), "ctrl+backslash"),
    (("ctrl+/", "ctrl+_", "ctrl+underscore", "ctrl+slash", "control+7"), "ctrl+slash"),
    (("tab", "ctrl+i"), "tab"),
    (("escape", "ESC", "ctrl+[", "ctrl+3"), "esc"), (("pagedown", "pgdown"), "pgdn"),
    (("up", "ArrowUp"), "up"), (("shift+pageup",), "shift+pgup"), (("ctrl+H",), "ctrl+h"),
    (("ctrl++",), "ctrl++"), (("Q",), "Q"), (("+",), "+"), (("slash",), "/"),
])  # fmt: skip
def test_one_name(keys: tuple[str, ...], name: str) -> None:
    assert {name_of(key) for key in keys} == {name}
    assert all(is_key(key) for key in keys)


def test_every_default_is_a_key() -> None:
    for actions in DEFAULTS.values():
        assert all(is_key(key) for keys in actions.values() for key in keys.split(","))


@pytest.mark.parametrize("key", ["exclamation_mark", "F12", "ctrl+alt+delete", "alt+ö", "!"])
def test_keys(key: str) -> None:
    assert is_key(key)


@pytest.mark.parametrize("key", ["", "+q", "nosuch+q", "nosuch", "ctrl+", "f25", "a+b", "\x1b"])
def test_no_keys(key: str) -> None:
    assert not is_key(key)
