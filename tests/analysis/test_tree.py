"""The lazy trees, against the tree that the drivers merge."""

from __future__ import annotations

import os

import pytest
from tests.analysis.stacks import parsed, stack

from millefeuille.analysis.ledger import ledger
from millefeuille.analysis.tree import ADDED, METADATA, MODIFIED, REMOVED, TYPE, UNCHANGED, Trees
from millefeuille.layers.entry import FILE
from millefeuille.layers.tree import Merger, Node
from millefeuille.testing import rawtars

SEEDS = 1000 if os.environ.get("MILLE_ALL") else 150


def trees(*layers: bytes) -> Trees:
    indexes = [parsed(tar) for tar in layers]
    return Trees(indexes, ledger(indexes, [1] * len(indexes)))


def names(found: Trees, path: bytes, below: int, upto: int) -> dict[str, str]:
    return {node.name.decode(): node.change for node in found.children(path, below=below, upto=upto)}


def test_changes_of_one_layer_and_of_all() -> None:
    found = trees(
        rawtars.archive(
            rawtars.file(b"d/a", b"1"), rawtars.file(b"d/b", b"2"), rawtars.file(b"d/c", b"3"),
            rawtars.file(b"d/e", b"4"), rawtars.file(b"t", b"5"), rawtars.file(b"k", b"6"),
        ),
        rawtars.archive(
            rawtars.file(b"d/a", b"9"), rawtars.file(b"d/b", b"2", mode=0o600), rawtars.file(b"d/.wh.c"),
            rawtars.directory(b"t"), rawtars.file(b"n", b"new"),
        ),
        rawtars.archive(rawtars.file(b"n", b"newer")),
    )  # fmt: skip
    assert names(found, b"", 0, 1) == {"d": MODIFIED, "k": UNCHANGED, "n": ADDED, "t": TYPE}
    assert names(found, b"d", 0, 1) == {"a": MODIFIED, "b": METADATA, "c": REMOVED, "e": UNCHANGED}
    assert names(found, b"", 1, 2) == {"d": UNCHANGED, "k": UNCHANGED, "n": MODIFIED, "t": UNCHANGED}
    assert names(found, b"", 0, 2)["n"] == ADDED
    assert [(node.name, node.change) for node in found.own(1, b"d")] == [
        (b"a", MODIFIED), (b"b", METADATA), (b"c", REMOVED),
    ]  # fmt: skip


def test_a_directory_that_an_entry_names_for_the_first_time() -> None:
    found = trees(
        rawtars.archive(rawtars.file(b"d/a"), rawtars.file(b"e/a"), rawtars.file(b"f/a")),
        rawtars.archive(
            rawtars.directory(b"d", mode=0o700), rawtars.directory(b"e"), rawtars.file(b"f", b"file")
        ),
    )
    assert names(found, b"", 0, 1) == {"d": METADATA, "e": UNCHANGED, "f": TYPE}


def test_a_hard_link_is_what_it_is_a_name_of() -> None:
    found = trees(
        rawtars.archive(rawtars.file(b"a", b"x"), rawtars.hardlink(b"b", b"a"), rawtars.file(b"c", b"x")),
        rawtars.archive(
            rawtars.file(b"a", b"yy", mode=0o600), rawtars.hardlink(b"b", b"a"), rawtars.hardlink(b"c", b"b"),
            rawtars.hardlink(b"d/e", b"c"),
        ),
        rawtars.archive(rawtars.file(b".wh.a"), rawtars.hardlink(b"f", b"d/e")),
    )  # fmt: skip
    assert names(found, b"", 0, 1) == {"a": MODIFIED, "b": MODIFIED, "c": MODIFIED, "d": ADDED}
    assert names(found, b"", 1, 2) == {
        "a": REMOVED, "b": UNCHANGED, "c": UNCHANGED, "d": UNCHANGED, "f": ADDED,
    }  # fmt: skip
    shown = [node for node in found.children(b"", below=1, upto=2) if node.name in (b"b", b"c", b"f")]
    assert {(node.kind, node.size, node.layer, node.entry) for node in shown} == {(FILE, 2, 1, 0)}
    assert found.find(b"d/e", 2) == (1, 0)


def test_hundreds_of_layers() -> None:
    found = trees(*(rawtars.archive(rawtars.file(b"d/f%03d" % number, b"x")) for number in range(500)))
    for upto in (499, 300, 450):
        assert found.children(b"", below=0, upto=upto)[0].size == upto + 1
        assert len(found.children(b"d", below=0, upto=upto)) == upto + 1


def test_hard_links_through_hundreds_of_layers() -> None:
    links = [
        rawtars.archive(
            rawtars.hardlink(b"d%d/f" % number, b"d%d/f" % (number - 1)),
            rawtars.file(b"d%d/g" % number, b"y"),
            rawtars.hardlink(b"d%d/h" % number, b"d%d/g" % (number - 1)),
        )
        for number in range(1, 500)
    ]
    found = trees(rawtars.archive(rawtars.file(b"d0/f", b"x"), rawtars.file(b"d0/g", b"y")), *links)
    shown = {node.name: (node.layer, node.entry) for node in found.children(b"d499", below=498, upto=499)}
    assert shown == {b"f": (0, 0), b"g": (499, 1), b"h": (498, 1)}


def test_more_directories_than_are_kept() -> None:
    files = [rawtars.file(b"d%d/f" % number, b"x") for number in range(2100)]
    links = [rawtars.hardlink(b"e/f%d" % number, b"d%d/f" % number) for number in range(2100)]
    found = trees(rawtars.archive(*files), rawtars.archive(*links))
    for _ in range(2):
        shown = found.children(b"e", below=0, upto=1)
        assert sorted(node.entry for node in shown) == list(range(2100))


@pytest.mark.long
@pytest.mark.parametrize("slice_", range(5))
def test_random_stacks_show_what_drivers_merge(slice_: int) -> None:
    for seed in range(slice_, SEEDS, 5):
        layers = [parsed(tar) for tar in stack(seed)]
        found = Trees(layers, ledger(layers, [1] * len(layers)))
        merger = Merger()
        for number, layer in enumerate(layers):
            merger.add(layer.index)
            compare(seed, found, merger.root, b"", number)


def compare(seed: int, found: Trees, node: Node, path: bytes, upto: int) -> None:
    shown = {
        each.name: each for each in found.children(path, below=upto - 1, upto=upto) if each.change != REMOVED
    }
    expected = node.children or {}
    assert shown.keys() == expected.keys(), (seed, upto, path)
    for name, child in expected.items():
        assert shown[name].entry == child.entry, (seed, upto, path, name)
        assert shown[name].layer == child.layer or child.entry < 0, (seed, upto, path, name)
        if child.children is not None:
            compare(seed, found, child, shown[name].path, upto)
