"""Names of keys: one for each, whatever a file of the configuration or a terminal program calls it."""

from __future__ import annotations

import unicodedata

from millefeuille.annotations import Final

_ALONE: Final = {
    "escape": "esc", "pageup": "pgup", "pagedown": "pgdn", "pgdown": "pgdn", "return": "enter",
    "spacebar": "space", "arrowup": "up", "arrowdown": "down", "arrowleft": "left", "arrowright": "right",
    "question_mark": "?", "backtick": "`", "slash": "/", "backspace2": "backspace",
}  # fmt: skip
# What terminals send the same for is one key; `ctrl+m` alone is told from enter, as some tell them apart.
_WITH_CONTROL: Final = {
    "@": "ctrl+space", "at": "ctrl+space", "2": "ctrl+space", "~": "ctrl+space", "tilde": "ctrl+space",
    "[": "esc", "3": "esc", "lsqbracket": "esc", "left_square_bracket": "esc", "i": "tab", "8": "backspace",
    "\\": "ctrl+backslash", "4": "ctrl+backslash",
    "right_square_bracket": "ctrl+]", "rsqbracket": "ctrl+]", "5": "ctrl+]",
    "circumflex_accent": "ctrl+^", "6": "ctrl+^",
    "/": "ctrl+slash", "_": "ctrl+slash", "underscore": "ctrl+slash", "7": "ctrl+slash",
}  # fmt: skip
_CONTROL: Final = {"ctl": "ctrl", "control": "ctrl"}
_MODIFIERS: Final = frozenset({"ctrl", "alt", "shift"})
_NAMED: Final = frozenset({
    "esc", "enter", "tab", "space", "backspace", "insert", "delete", "home", "end", "pgup", "pgdn",
    "up", "down", "left", "right", "slash", "backslash", "underscore", "tilde", "minus", "plus",
    "lsqbracket", "rsqbracket", *(f"f{number}" for number in range(1, 25)),
})  # fmt: skip


def name_of(key: str) -> str:
    """One name for each key: `Ctrl + Space`, `ctrl+@` and `ctrl+space` are one."""
    plain = key.strip().replace(" ", "")
    if len(plain) == 1:
        return plain  # a capital letter alone is another key than the small one
    modifiers, base = _parts(plain.lower())
    modifiers = [_CONTROL.get(each, each) for each in modifiers]
    if modifiers == ["ctrl"] and base in _WITH_CONTROL:
        return _WITH_CONTROL[base]
    if modifiers != ["ctrl"]:
        base = _ALONE.get(base, base)
    return "+".join([*modifiers, base])


def is_key(key: str) -> bool:
    """Whether a keyboard may have a key of this name."""
    modifiers, base = _parts(name_of(key))
    if not _MODIFIERS.issuperset(modifiers):
        return False
    return base in _NAMED or _is_character(base)


def _parts(key: str) -> tuple[list[str], str]:
    """The keys that are held, and the one that is pressed, which may be `+`."""
    front, held, base = key[:-1].rpartition("+")
    return (front.split("+") if held else []), base + key[-1:]


def _is_character(name: str) -> bool:
    """Whether this is a character or the name of one: terminal programs report `!` as `exclamation_mark`."""
    if len(name) == 1:
        return name.isprintable()
    try:
        unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return False
    return True
