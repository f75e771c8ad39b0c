"""The files of a layer as JSON: each entry as its index has it, with what the stack makes of it."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from tests.analysis.stacks import parsed, stack

from millefeuille.analysis.filelist import file_list, marked
from millefeuille.analysis.layer import Layer
from millefeuille.analysis.ledger import Ledger, ledger
from millefeuille.analysis.schema import KINDS
from millefeuille.analysis.stacking import CHANGES
from millefeuille.layers.entry import WHITEOUT
from millefeuille.testing import rawtars


def listed(layer: Layer, changes: dict[int, int], dead: set[int]) -> Any:
    return json.loads(b"[" + b"".join(marked(file_list(layer), layer, changes, dead)) + b"]")


def one_by_one(layer: Layer, changes: dict[int, int], dead: set[int]) -> list[dict[str, Any]]:
    rows = []
    for number in range(len(layer.index)):
        entry = layer.index.entry(number)
        row: dict[str, Any] = {"path": os.fsdecode(entry.path), "kind": KINDS[entry.kind]}
        if entry.kind < WHITEOUT:
            row |= {"mode": entry.mode, "uid": entry.uid, "gid": entry.gid, "sizeBytes": entry.size}
            row |= {"mtime": entry.mtime}
        if entry.link:
            row["link"] = os.fsdecode(entry.link)
        if number in changes:
            row["change"] = CHANGES[changes[number]]
        if number in dead:
            row["shadowed"] = True
        rows.append(row)
    return rows


def account(layers: list[Layer]) -> Ledger:
    return ledger(layers, [layer.index.tar_size for layer in layers])


@pytest.mark.parametrize("seed", range(100))
def test_it_has_every_entry_and_what_became_of_it(seed: int) -> None:
    layers = [parsed(tar) for tar in stack(seed)]
    found = account(layers)
    dead: list[set[int]] = [set() for _ in layers]
    for writer, entry in found.dead:
        dead[writer].add(entry)
    for number, layer in enumerate(layers):
        wanted = one_by_one(layer, found.changes[number], dead[number])
        assert listed(layer, found.changes[number], dead[number]) == wanted


def test_names_that_look_like_json_and_names_that_are_no_text() -> None:
    names = [b'},{"path":"x', b'"', b"\\", b"\\u0041", b"a\nb", b"\xff\xfe", "é€".encode(), b"},{", b"plain"]
    layer = parsed(rawtars.archive(*(rawtars.file(name, b"1") for name in names)))
    everything = set(range(len(names)))
    assert listed(layer, {}, set()) == one_by_one(layer, {}, set())
    assert listed(layer, dict.fromkeys(everything, 1), everything) == one_by_one(
        layer, dict.fromkeys(everything, 1), everything
    )
    for number in everything:
        assert listed(layer, {}, {number}) == one_by_one(layer, {}, {number})


def test_a_path_that_a_layer_has_twice_is_marked_where_it_was_lost() -> None:
    layer = parsed(rawtars.archive(*(rawtars.file(name, b"1") for name in (b"a", b"b", b"a", b"a", b"c"))))
    for dead in ({0}, {2}, {0, 2}, {2, 4}, {3}):
        assert listed(layer, {3: 1}, dead) == one_by_one(layer, {3: 1}, dead)


def test_a_layer_without_entries_is_empty() -> None:
    assert file_list(parsed(rawtars.archive())) == b""
