"""The ledger: its words on cases made by hand, its numbers against a file system replayed by brute force."""

from __future__ import annotations

import os

import pytest
from tests.analysis.model import replay
from tests.analysis.stacks import parsed, stack

from millefeuille.analysis.layer import Layer
from millefeuille.analysis.ledger import Ledger, ledger
from millefeuille.analysis.stacking import ATTRIBUTES, CONTENT, KIND, SAME
from millefeuille.layers.entry import FILE, HARDLINK, SYMLINK, TYPE_BITS, WHITEOUT
from millefeuille.layers.tree import Merger, Node
from millefeuille.testing import rawtars

SEEDS = 3000 if os.environ.get("MILLE_ALL") else 300


def made(*layers: bytes, base: int = 0) -> Ledger:
    indexes = [parsed(tar) for tar in layers]
    return ledger(indexes, [layer.index.tar_size for layer in indexes], base=base)


def tree(*entries: tuple[str, str]) -> bytes:
    return rawtars.archive(*(rawtars.file(path.encode(), text.encode()) for path, text in entries))


@pytest.mark.parametrize(
    ("layers", "path", "size", "killer", "cause"),
    [
        ([tree(("d/a", "xyz")), tree((".wh.d", ""))], "d/a", 3, 1, "deleted"),
        ([tree(("a", "xyz")), tree((".wh.a", ""))], "a", 3, 1, "deleted"),
        ([tree(("d/a", "xyz")), tree(("d/.wh..wh..opq", ""), ("d/b", "1"))], "d/a", 3, 1, "opaque directory"),
        ([tree(("a", "xyz")), tree(("a", "other"))], "a", 3, 1, "rewritten"),
        ([tree(("a", "xyz")), tree(("a", "xyz"))], "a", 3, 1, "metadata only"),
        ([tree(("d/a", "xyz")), tree(("d", "1"))], "d/a", 3, 1, "type replaced"),
        ([tree(("a", "xyz")), tree(("a/b", "1"))], "a", 3, 1, "type replaced"),
        ([tree(("a", "xyz"), ("a", "new"))], "a", 3, 0, "same layer"),
    ],
)
def test_every_cause_has_its_name(layers: list[bytes], path: str, size: int, killer: int, cause: str) -> None:
    (found,) = made(*layers).items
    assert (found.path.decode(), found.size, found.writer, found.killer, found.cause) == (
        path, size, 0, killer, cause,
    )  # fmt: skip


def test_a_file_lives_as_long_as_one_of_its_names() -> None:
    linked = rawtars.archive(rawtars.file(b"one", b"xyz"), rawtars.hardlink(b"two", b"one"))
    assert made(linked, tree((".wh.one", ""))).shadowed == 0
    (found,) = made(linked, tree((".wh.one", "")), tree(("two", "other"))).items
    assert (found.path, found.by, found.killer, found.cause) == (b"one", b"two", 2, "rewritten")


def test_what_the_base_wrote_is_inherited() -> None:
    account = made(tree(("a", "12345")), tree(("a", "123"), ("b", "1")), tree((".wh.b", "")), base=1)
    assert (account.stored, account.live, account.shadowed) == (9, 3, 6)
    assert (account.inherited, account.avoidable) == (5, 1)
    assert [(each.stored, each.live, each.killed) for each in account.layers] == [
        (5, 0, 0),
        (4, 3, 5),
        (0, 0, 1),
    ]


def test_equal_live_files_are_counted_once_each() -> None:
    account = made(tree(("a", "same"), ("b", "same")), tree(("c", "same"), ("b", "else")))
    (copies,) = account.copies
    assert copies.places == ((0, b"a"), (1, b"c"))
    assert account.repeated == 4


@pytest.mark.long
@pytest.mark.parametrize("slice_", range(10))
def test_random_stacks_count_as_brute_force_does(slice_: int) -> None:
    for seed in range(slice_, SEEDS, 10):
        check(seed, [parsed(tar) for tar in stack(seed)])


def check(seed: int, layers: list[Layer]) -> None:
    blobs = [layer.index.tar_size // 3 for layer in layers]
    account = ledger(layers, blobs)
    deaths = replay(layers).deaths
    sizes = {
        (number, entry): layer.sizes[entry]
        for number, layer in enumerate(layers)
        for entry in range(len(layer.paths))
        if layer.kinds[entry] == FILE
    }
    dead = {born for born in deaths if sizes[born]}
    assert account.stored == sum(sizes.values()), seed
    assert account.live == sum(size for born, size in sizes.items() if born not in deaths), seed
    assert sum(account.by_cause.values()) == account.shadowed == account.stored - account.live, seed
    assert len(account.items) == len(dead), seed
    for item in account.items:
        born = [at for at in dead if at[0] == item.writer and layers[at[0]].paths[at[1]] == item.path]
        assert item.killer in {deaths[at][0] for at in born}, (seed, item)
        how = {deaths[at][1] for at in born}
        if item.killer == item.writer:
            assert item.cause == "same layer"
        elif how == {"entry"}:
            assert item.cause in ("rewritten", "metadata only", "type replaced"), (seed, item)
        elif "entry" not in how:
            assert item.cause in ("deleted", "opaque directory"), (seed, item)
    for number, (layer, blob) in enumerate(zip(layers, blobs, strict=True)):
        shares = [account.packed_size(number, entry) for entry in range(len(layer.paths))]
        assert not shares or (sum(shares) == blob and min(shares) >= 0), seed


def test_a_change_by_a_hard_link_is_that_of_the_link() -> None:
    lower = tree(("a", "old"), ("b", "other"))
    upper = rawtars.archive(rawtars.file(b"new", b"1"), rawtars.hardlink(b"a", b"new"))
    assert made(lower, upper).changes[1] == {1: CONTENT}
    beyond = rawtars.archive(rawtars.hardlink(b"a", b"b"))
    assert made(lower, beyond).changes[1] == {0: CONTENT}


def test_a_directory_that_no_entry_names_is_there_all_the_same() -> None:
    lower = rawtars.archive(rawtars.file(b"usr/bin/x", b"1"))
    upper = rawtars.archive(rawtars.directory(b"usr", mode=0o700), rawtars.file(b"usr/bin", b"file"))
    assert made(lower, upper).changes[1] == {0: ATTRIBUTES, 1: KIND}
    same = rawtars.archive(rawtars.directory(b"usr"), rawtars.symlink(b"usr/bin", b"x"))
    assert made(lower, same).changes[1] == {0: SAME, 1: KIND}
    linked = rawtars.archive(rawtars.file(b"a", b"1"), rawtars.hardlink(b"usr", b"a"))
    assert made(lower, linked).changes[1] == {1: KIND}
    # An empty one stays, and goes with the directory above it or with a mark of its own.
    emptied = tree(("usr/bin/.wh.x", ""))
    assert made(lower, emptied, upper).changes[2] == {0: ATTRIBUTES, 1: KIND}
    gone = made(lower, emptied, tree(("usr/.wh.bin", "")), upper)
    assert (gone.removed[2], gone.changes[3]) == ([b"usr/bin"], {0: ATTRIBUTES})
    assert made(lower, emptied, tree((".wh.usr", "")), upper).changes[3] == {}
    # A mark makes no directory.
    assert made(tree(("z", "")), emptied, upper).changes[2] == {}


def test_an_entry_is_held_against_the_layers_below_whatever_its_own_has_there() -> None:
    lower = rawtars.archive(rawtars.file(b"a", b"old"), rawtars.directory(b"d", mode=0o700))
    child_first = rawtars.archive(rawtars.file(b"a/b", b"1"), rawtars.directory(b"a"))
    assert made(lower, child_first).changes[1] == {1: KIND}
    twice = rawtars.archive(
        rawtars.directory(b"d"), rawtars.directory(b"d", mode=0o700), rawtars.file(b"a", b"new"),
        rawtars.file(b"a", b"old"),
    )  # fmt: skip
    assert made(lower, twice).changes[1] == {0: ATTRIBUTES, 1: SAME, 2: CONTENT, 3: SAME}


def test_a_link_written_again_to_the_same_file_changes_nothing() -> None:
    lower = rawtars.archive(rawtars.file(b"a", b"1"), rawtars.hardlink(b"b", b"a"))
    again = rawtars.archive(rawtars.hardlink(b"b", b"a"))
    account = made(lower, again, tree((".wh.b", "")), tree((".wh.a", "")))
    assert account.changes[1] == {0: SAME}
    assert [(found.path, found.killer) for found in account.items] == [(b"a", 3)]


@pytest.mark.long
@pytest.mark.parametrize("slice_", range(5))
def test_random_stacks_change_what_the_merged_tree_had(slice_: int) -> None:
    for seed in range(slice_, SEEDS, 5):
        layers = [parsed(tar) for tar in stack(seed)]
        account = ledger(layers, [1] * len(layers))
        for number, layer in enumerate(layers):
            merger = Merger()
            for below in layers[:number]:
                merger.add(below.index)
            merger._remove_marked(layer.index, layer.paths)
            expected = {}
            for entry, path in enumerate(layer.paths):
                node = merger.find(path) if path and layer.kinds[entry] < WHITEOUT else None
                if node is not None:
                    expected[entry] = changed(layers, node, layer, entry)
            found = {entry: change for entry, change in account.changes[number].items() if layer.paths[entry]}
            assert found.keys() == expected.keys(), (seed, number)
            for entry, change in expected.items():
                assert change in (None, found[entry]), (seed, number, layer.paths[entry])


def changed(layers: list[Layer], node: Node, layer: Layer, entry: int) -> int | None:
    """What an entry changes of what the merged tree has there; None for a link, which is another's."""
    index, kind = layer.index, layer.kinds[entry]
    if kind == HARDLINK:
        return None
    if TYPE_BITS[kind] != node.mode & 0o170000:
        return KIND
    if kind == FILE and index.content(entry) != layers[node.layer].index.content(node.entry):
        return CONTENT
    if kind == SYMLINK and index.link(entry) != node.link:
        return CONTENT
    mode = node.mode & 0o7777 if node.entry < 0 else layers[node.layer].index.modes[node.entry]
    old = (mode, node.uid, node.gid, node.mtime, node.nsec, dict(node.xattrs))
    new = (
        index.modes[entry], index.uids[entry], index.gids[entry], index.mtimes[entry], index.nsecs[entry],
        dict(index.xattrs(entry)),
    )  # fmt: skip
    return SAME if old == new else ATTRIBUTES
