"""Layout: which lines and columns each pane has."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import NamedTuple
from millefeuille.faces.tui.keys import LAYERS, TREE, WASTE

NARROW = 72  # columns; below that only one column of panes is shown
_DETAILS = 7  # rows of the details of a layer, with their title
_IMAGE = 9
_LEAST = 3  # rows of any pane


class Box(NamedTuple):
    """Where a pane is, with its title; in cells from the upper left corner."""

    left: int
    top: int
    width: int
    height: int


def layout(width: int, height: int, *, layers: int, share: float, focus: str) -> Mapping[str, Box]:
    """The boxes of the panes on a screen of this size: `layers` is the number of layers in the image.

    `share` is that of the width which the tree takes. A pane that has no room is not in it.
    """
    if width < NARROW:
        if focus == TREE:
            return {TREE: Box(0, 0, width, height)}
        return _stacked(width, height, layers, focus)
    tree = min(max(int(width * share), 20), width - 20)
    boxes = dict(_stacked(width - tree - 1, height, layers, focus))
    boxes[TREE] = Box(width - tree, 0, tree, height)
    return boxes


def _stacked(width: int, height: int, layers: int, focus: str) -> Mapping[str, Box]:
    wanted = {LAYERS: layers + 2, "layer": _DETAILS, "image": _IMAGE}
    top, boxes = 0, {}
    limit = {LAYERS: max(height * 2 // 5, _LEAST), "layer": height, "image": height}
    for pane, rows in wanted.items():
        # Waste is what one comes for: it keeps some rows even where details have to go.
        room = min(rows, limit[pane], height - top - 2 * _LEAST)
        if room >= _LEAST or pane == LAYERS:
            boxes[pane] = Box(0, top, width, max(room, 1))
            top += max(room, 1)
    if height - top >= _LEAST:
        boxes[WASTE] = Box(0, top, width, height - top)
    elif focus == WASTE:
        return {WASTE: Box(0, 0, width, height)}
    return boxes
