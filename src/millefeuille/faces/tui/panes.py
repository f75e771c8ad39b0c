"""Panes: the lines of each part of the screen, from what is looked at."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from millefeuille.analysis.tree import NO_ENTRY, Node
from millefeuille.annotations import Final
from millefeuille.docker.units import human_size
from millefeuille.faces.cli.escaped import escaped, printable
from millefeuille.faces.tui.browser import Row
from millefeuille.faces.tui.keys import LAYERS, TREE, WASTE
from millefeuille.faces.tui.line import Line, Span, fitted, pieces, wrapped
from millefeuille.faces.tui.state import State
from millefeuille.layers.entry import DIRECTORY, SYMLINK, TYPE_BITS

_SHELL: Final = "/bin/sh -c "
_NO_ATTRIBUTES: Final = " " * 22


def layer_lines(state: State, width: int, height: int) -> list[Line]:
    """The list of layers, as many as fit; the bar says which are compared."""
    cursor, parts = state.layer, state.viewed.image.parts
    cursor.fill(height, lambda number: number < len(parts), lambda: len(parts) - 1)
    lines: list[Line] = []
    for number in range(cursor.top, min(cursor.top + height, len(parts))):
        part = parts[number]
        bar = Span("██" if number <= cursor.at else "  ", _bar(state, number))
        size = human_size(part.layer.index.content_size, 3)
        look = "dim" if number < state.viewed.image.base else "plain"
        line = [bar, Span(f" {size:>8}  ", look), Span(step_text(part.step.created_by), look)]
        here = number == cursor.at
        lines.append([bar, *fitted(line[1:], width - 2, selected=here and state.focus == LAYERS)])
    return lines


def _bar(state: State, number: int) -> str:
    return "below" if number < state.layer.at and not (state.aggregated and number) else "compared"


def layer_details(state: State, width: int) -> list[Line]:
    """What is known of the layer that is selected."""
    number = state.layer.at
    if number >= len(state.viewed.image.parts):
        return []
    part = state.viewed.image.parts[number]
    rows = [
        ("Id", str(part.diff_id)),
        ("Blob", str(part.digest)),
        ("Size", f"{human_size(part.layer.index.content_size)}, {human_size(part.size)} compressed"),
    ]
    if state.viewed.document is not None:
        account = state.viewed.document["layers"][number]
        shadowed, killed = human_size(account["shadowedBytes"]), human_size(account["killedBytes"])
        rows.append(("Waste", f"{shadowed} of it are shadowed; it took away {killed}"))
    lines = [_fact(name, value) for name, value in rows]
    return [*lines, *wrapped(f"Command: {step_text(part.step.created_by)}", width)]


def image_details(state: State) -> list[Line]:
    """What is known of the image."""
    image = state.viewed.image
    stored = sum(part.layer.index.content_size for part in image.parts)
    packed = sum(image.sizes)
    lines = [
        _fact("Image", printable(image.name)),
        _fact("Id", str(image.config.id)),
        _fact("Total", f"{human_size(stored)}, {human_size(packed)} compressed"),
    ]
    if image.base:
        layers = "1 layer" if image.base == 1 else f"{image.base} layers"
        lines.append(_fact("Base", f"{printable(image.base_name)} ({layers})"))
    if state.viewed.document is None:
        return [*lines, [Span("Working out the waste …", "dim")]]
    exact, dive = (state.viewed.document["score"][name] for name in ("exact", "dive"))
    waste = human_size(exact["shadowedBytes"])
    avoidable = human_size(exact["avoidableBytes"])
    return [
        *lines,
        _fact("Waste", f"{waste}, {avoidable} of it avoidable"),
        _fact("Efficiency", f"{exact['efficiency']:.2%}"),
        _fact("Dive says", f"{int(dive['efficiency'] * 100)} %, {human_size(dive['wastedBytes'])} wasted"),
    ]


def waste_lines(state: State, width: int, height: int) -> list[Line]:
    """The files in vain, the largest first: size, who wrote and who killed it, cause, path."""
    cursor, count = state.waste, len(state.items)
    cursor.fill(height, lambda number: number < count, lambda: count - 1)
    lines: list[Line] = []
    for number, item in enumerate(state.items[cursor.top : cursor.top + height], cursor.top):
        text = (
            f"{human_size(item['sizeBytes'], 3):>8}  {item['writer']:>5}→{item['killer']:<6} "
            f"{item['cause']:<16} /{escaped(os.fsencode(item['path']))}"
        )
        here = number == cursor.at and state.focus == WASTE
        lines.append(fitted([Span(text)], width, selected=here))
    if not state.items and state.viewed.document is not None:
        lines.append([Span("Nothing is wasted.", "added")])
    return lines


def tree_lines(state: State, width: int, height: int) -> list[Line]:
    """One screen of the tree; with `wrap`, a long row takes several lines."""
    cursor = state.row
    if state.wrap:
        cursor.show(height)
        _show_wrapped(state, width, height)
    else:
        cursor.fill(height, state.browser.exists, state.browser.last)
    lines: list[Line] = []
    number = cursor.top
    while len(lines) < height and (row := state.browser.row(number)) is not None:
        here = number == cursor.at and state.focus == TREE
        line = _tree_line(state, row)
        if state.wrap:
            lines += wrapped(_text(line), width, "selected" if here else row.node.change)
        else:
            lines.append(fitted(line, width, selected=here))
        number += 1
    if not lines:
        lines.append([Span("No file is shown.", "dim")])
    return lines[:height]


def tree_row(state: State, width: int, line: int) -> int:
    """The number of the row that is on this line of the tree, of which one screen is shown."""
    number = state.row.top
    if not state.wrap:
        return number + line
    while (row := state.browser.row(number)) is not None:
        line -= _height(state, row, width)
        if line < 0:
            break
        number += 1
    return number


def _show_wrapped(state: State, width: int, height: int) -> None:
    """Have the selected row on the screen, and no room left below, where rows take several lines each."""
    cursor, left = state.row, height
    for number in range(cursor.at, cursor.top - 1, -1):
        row = state.browser.row(number)
        left -= _height(state, row, width) if row is not None else 1
        if left < 0:
            cursor.top = min(number + 1, cursor.at)
            return
    number = cursor.at + 1
    while left > 0 and (row := state.browser.row(number)) is not None:
        left -= _height(state, row, width)
        number += 1
    while cursor.top and (row := state.browser.row(cursor.top - 1)) is not None:
        left -= _height(state, row, width)
        if left < 0:
            return
        cursor.top -= 1


def _height(state: State, row: Row, width: int) -> int:
    """The lines that a row takes when it is wrapped."""
    return len(pieces(_text(_tree_line(state, row)), width))


def _text(line: Iterable[Span]) -> str:
    return "".join(span.text for span in line)


def _tree_line(state: State, row: Row) -> list[Span]:
    node = row.node
    name = escaped(node.name)
    if node.kind == SYMLINK and node.entry != NO_ENTRY and not state.comparing:
        index = state.viewed.image.layers[node.layer].index
        name = f"{name} → {escaped(index.link(node.entry))}"
    if node.kind == DIRECTORY and row.open is False:
        name += " …"
    if node.kind != DIRECTORY or (state.viewed.ready and not state.comparing):
        size = human_size(node.size, 3)
    else:
        size = "" if state.comparing else "…"
    front = f"{_attributes(state, node)}{size:>8}  " if state.attributes else ""
    return [Span(front, "dim"), Span(row.guide, "dim"), Span(name, node.change)]


def _attributes(state: State, node: Node) -> str:
    if node.entry == NO_ENTRY or state.comparing:
        return _NO_ATTRIBUTES
    index = state.viewed.image.layers[node.layer].index
    mode = stat.filemode(TYPE_BITS[node.kind] | index.modes[node.entry])
    owner = f"{index.uids[node.entry]}:{index.gids[node.entry]}"
    return f"{mode} {owner:>10} "


def step_text(command: str) -> str:
    """A step of the history on one line, without the shell in front; line ends are shown as ↵."""
    text = command.removeprefix(_SHELL).removeprefix("RUN " + _SHELL)
    return printable(text.replace("\r\n", "\n").replace("\n", "↵").replace("\t", " "))


def _fact(name: str, value: str) -> Line:
    return [Span(f"{name}: ", "title"), Span(value)]
