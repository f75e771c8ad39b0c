"""The keys and what they do, to be read."""

from __future__ import annotations

from millefeuille.faces.tui.keys import DEFAULTS, Keys

_FILTER = (
    "A filter is one or more words that all have to hold:",
    "  lib.*\\.so           a regular expression, looked for in the path",
    "  text:a+b            the characters as they are",
    "  size>1MB size<1GB   files of that size",
    "  change:added,type   added, modified, metadata, type, removed, unchanged",
)


def help_lines(keys: Keys) -> list[str]:
    """One line for each action, by pane."""
    lines = []
    for pane, actions in DEFAULTS.items():
        lines.append(pane.capitalize())
        lines += [f"  {keys.key(action) or '(none)':<12} {action.replace('-', ' ')}" for action in actions]
        lines.append("")
    return [*lines, *_FILTER]
