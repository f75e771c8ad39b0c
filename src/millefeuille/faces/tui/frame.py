"""Frame: the whole screen as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from millefeuille.faces.cli.escaped import printable
from millefeuille.faces.tui.keys import LAYERS, TREE, WASTE
from millefeuille.faces.tui.layout import Box, layout
from millefeuille.faces.tui.line import Line, Span, fitted
from millefeuille.faces.tui.panes import image_details, layer_details, layer_lines, tree_lines, waste_lines
from millefeuille.faces.tui.state import State

_HINTS = {
    LAYERS: (("compare-layer", "this layer"), ("compare-all", "aggregated")),
    TREE: (
        ("toggle-collapse-dir", "fold"), ("toggle-collapse-all-dir", "fold all"),
        ("toggle-added-files", "added"), ("toggle-removed-files", "removed"),
        ("toggle-modified-files", "modified"), ("toggle-unmodified-files", "unmodified"),
        ("toggle-filetree-attributes", "attributes"), ("toggle-sort-order", "sort"), ("view-file", "view"),
        ("extract-file", "extract"),
    ),
    WASTE: (("go-to-writer", "who wrote it"), ("go-to-killer", "who killed it")),
}  # fmt: skip
_ALWAYS = (("quit", "quit"), ("toggle-view", "next pane"), ("filter-files", "filter"), ("help", "keys"))


def boxes(state: State, width: int, height: int) -> Mapping[str, Box]:
    """Where the panes are, on a screen of this size."""
    return layout(
        width, height - 1 - bool(_filter_line(state)), layers=len(state.viewed.image.parts),
        share=state.preferences.tree_share, focus=state.focus,
    )  # fmt: skip


def frame(state: State, width: int, height: int) -> list[Line]:
    """All lines of a screen of this size; each fills the width."""
    found = boxes(state, width, height)
    for pane, box in found.items():
        if pane in state.heights:
            state.heights[pane] = max(box.height - _heads(pane), 1)
    left = [line for pane, box in found.items() if pane != TREE for line in _pane(state, pane, box)]
    right = _pane(state, TREE, found[TREE]) if TREE in found else []
    body = height - 1 - bool(_filter_line(state))
    rows = [_joined(left, right, place, width, found.get(TREE)) for place in range(body)]
    below = [fitted(line, width) for line in (_filter_line(state), _status(state)) if line]
    return [*rows, *below]


def _joined(
    left: Sequence[Line], right: Sequence[Line], place: int, width: int, tree: Box | None
) -> list[Span]:
    of_left = list(left[place]) if place < len(left) else []
    if tree is None:
        return fitted(of_left, width)
    of_right = list(right[place]) if place < len(right) else []
    if not tree.left:
        return fitted(of_right, width)
    return [*fitted(of_left, tree.left - 1), Span("│", "dim"), *fitted(of_right, tree.width)]


def _pane(state: State, pane: str, box: Box) -> list[Line]:
    room = box.height - _heads(pane)
    if pane == LAYERS:
        heads = [_title(state, pane, "Layers", box), _columns("Cmp     Size  Command", box)]
        lines = [*heads, *layer_lines(state, box.width, room)]
    elif pane == TREE:
        heads = [_title(state, pane, _tree_title(state), box), _columns(_tree_columns(state), box)]
        lines = [*heads, *tree_lines(state, box.width, room)]
    elif pane == WASTE:
        count = f" ({len(state.items):,})" if state.items else ""
        columns = _columns("    Size  Wrote→Killed Cause            Path", box)
        heads = [_title(state, pane, f"Waste{count}", box), columns]
        lines = [*heads, *waste_lines(state, box.width, room)]
    elif pane == "layer":
        lines = [_title(state, pane, "Layer Details", box), *layer_details(state, box.width)]
    else:
        lines = [_title(state, pane, "Image Details", box), *image_details(state)]
    return [*lines[: box.height], *([Span("")] for _ in range(box.height - len(lines)))]


def _heads(pane: str) -> int:
    return 2 if pane in (LAYERS, TREE, WASTE) else 1


def _title(state: State, pane: str, text: str, box: Box) -> Line:
    focused = state.focus == pane
    front, rule = ("┃ ● ", "━") if focused else ("│ ", "─")
    line = f"{front}{text} {'┣' if focused else '├'}"
    return fitted([Span(line + rule * box.width, "focus" if focused else "title")], box.width)


def _columns(text: str, box: Box) -> Line:
    return fitted([Span(text, "dim")], box.width)


def _tree_title(state: State) -> str:
    if state.comparing and state.comparison is not None:
        return f"Compared with {printable(state.comparison.name)}"
    title = "Aggregated Layer Contents" if state.aggregated else "Current Layer Contents"
    return f"{title} (by size)" if state.browser.by_size else title


def _tree_columns(state: State) -> str:
    return "Permission     UID:GID     Size  Filetree" if state.attributes else "Filetree"


def _filter_line(state: State) -> Line:
    wanted = state.browser.wanted
    return [] if wanted is None or state.typing else [Span("Filter: ", "key"), Span(wanted.text)]


def _status(state: State) -> Line:
    if state.message:
        return [Span(printable(state.message), "title")]  # an error may name what the image holds
    spans: list[Span] = []
    for action, text in (*_ALWAYS, *_HINTS[state.focus]):
        key = state.keys.key(action)
        if key:
            spans += [Span(key.replace("ctrl+", "^"), "key"), Span(f" {text}  ")]
    return spans
