"""Keys: what each of them does, in which pane; Dive's unless a file says otherwise.

Names of actions are those of Dive's configuration, and ours for what Dive has not. Names of keys are Dive's
too (`ctrl+space`, `esc`, `pgup`).
"""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Final
from millefeuille.faces.tui.key_names import name_of

EVERYWHERE: Final = "everywhere"
LAYERS: Final = "layers"
TREE: Final = "tree"
WASTE: Final = "waste"

DEFAULTS: Final[Mapping[str, Mapping[str, str]]] = {
    EVERYWHERE: {
        "quit": "ctrl+c,q", "toggle-view": "tab", "filter-files": "ctrl+f,ctrl+slash",
        "close-filter-files": "esc", "up": "up,k", "down": "down,j", "left": "left,h", "right": "right,l",
        "page-up": "pgup,u", "page-down": "pgdn,d", "first": "home", "last": "end",
        "toggle-comparison": "c", "help": "?",
    },
    LAYERS: {"compare-all": "ctrl+a", "compare-layer": "ctrl+l"},
    TREE: {
        "toggle-collapse-dir": "space", "toggle-collapse-all-dir": "ctrl+space",
        "toggle-added-files": "ctrl+a", "toggle-removed-files": "ctrl+r",
        "toggle-modified-files": "ctrl+m", "toggle-unmodified-files": "ctrl+u",
        "toggle-filetree-attributes": "ctrl+b", "toggle-sort-order": "ctrl+o", "toggle-wrap-tree": "ctrl+p",
        "extract-file": "ctrl+e", "view-file": "v",
    },
    WASTE: {"go-to-writer": "enter,w", "go-to-killer": "x"},
}  # fmt: skip
ACTIONS: Final = frozenset(action for pane in DEFAULTS.values() for action in pane)


class Keys:
    """The keys of one run: `bindings` has for an action the keys that replace the default ones."""

    def __init__(self, bindings: Mapping[str, str] | None = None) -> None:
        self._actions: dict[tuple[str, str], str] = {}
        self._named: dict[str, str] = {}
        for pane, defaults in DEFAULTS.items():
            for action, keys in defaults.items():
                names = [name_of(key) for key in (bindings or {}).get(action, keys).split(",") if key.strip()]
                self._named[action] = names[0] if names else ""
                for name in names:
                    self._actions[pane, name] = action
                    if name == "ctrl+m":  # most terminals send the same for both
                        self._actions.setdefault((pane, "enter"), action)

    def action(self, pane: str, key: str) -> str | None:
        """What a key does in a pane; None for nothing."""
        name = name_of(key)
        return self._actions.get((pane, name)) or self._actions.get((EVERYWHERE, name))

    def key(self, action: str) -> str:
        """The first key of an action, as the status line shows it; empty when it has none."""
        return self._named[action]
