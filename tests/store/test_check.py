"""Damage of every kind to every kind of file: found, mended from what is there, or healed by a pull."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.store.memory import Memory, brought, layer
from tests.store.state import State, state

from millefeuille.images.remove import remove
from millefeuille.images.tag import tag
from millefeuille.images.users import Nobody
from millefeuille.snapshots.erofs.stored import make_metadata
from millefeuille.store.check import check
from millefeuille.store.disk import NoStore
from millefeuille.store.names import find
from millefeuille.store.repair import repair
from millefeuille.store.store import Store

LAYERS = [layer(1, 30_000), layer(2, compression="zstd"), layer(3, compression="")]


def _flip(path: str) -> None:
    data = bytearray(Path(path).read_bytes())
    data[len(data) // 2] ^= 1
    _write(path, bytes(data))


def _zero(path: str) -> None:
    data = Path(path).read_bytes()
    _write(path, bytes(min(len(data), 2048)) + data[2048:])


def _short(path: str) -> None:
    _write(path, Path(path).read_bytes()[:-1])


def _long(path: str) -> None:
    _write(path, Path(path).read_bytes() + b"?")


def _empty(path: str) -> None:
    _write(path, b"")


def _write(path: str, data: bytes) -> None:
    mode = os.stat(path).st_mode
    os.chmod(path, 0o600)
    Path(path).write_bytes(data)
    os.chmod(path, mode)


DAMAGES: list[Callable[[str], None]] = [_flip, _zero, _short, _long, _empty, os.unlink]
FILES = ["manifest", "config", "index", "gzip blob", "zstd blob", "plain blob", "tar", "layer index", "chain"]


@pytest.fixture
def whole(store: Store, memory: Memory) -> State:
    """A store with one image that is known by an index, and its state."""
    amd64 = memory.add("amd64", LAYERS)
    memory.add_index("many", {"amd64": amd64})
    brought(store, memory, "app:many", prepare=make_metadata)
    return state(store)


def _path(store: Store, memory: Memory, which: str) -> str:
    with store.reading() as tx:
        image = find(tx, "app:many")
    assert image.chain is not None
    return {
        "manifest": store.disk.blob(image.manifest), "config": store.disk.blob(image.id),
        "index": store.disk.blob(memory.tags["many"].digest), "chain": store.disk.chain(image.chain),
        "gzip blob": store.disk.blob(LAYERS[0].descriptor().digest),
        "zstd blob": store.disk.blob(LAYERS[1].descriptor().digest),
        "plain blob": store.disk.blob(LAYERS[2].descriptor().digest),
        "tar": store.disk.tar(LAYERS[0].diff_id), "layer index": store.disk.layer_index(LAYERS[0].diff_id),
    }[which]  # fmt: skip


@pytest.mark.parametrize("which", FILES)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.strip("_"))
def test_found_and_healed(
    which: str, damage: Callable[[str], None], whole: State, store: Store, memory: Memory
) -> None:
    damage(_path(store, memory, which))
    found = check(store, data=True)
    assert len(found.problems) == (2 if which == "plain blob" and damage is not os.unlink else 1)
    if damage in (_short, _long, _empty, os.unlink):
        assert check(store).problems  # without reading every byte
    done = repair(store, found, data=True, prepare=make_metadata)
    assert len(done) == len(found.problems)
    derived = which in ("tar", "layer index", "chain")
    if derived:
        assert check(store, data=True).problems == ()
        assert state(store) == whole
    brought(store, memory, "app:many", prepare=make_metadata)
    assert check(store, data=True).problems == ()
    assert state(store) == whole


def test_a_healthy_store_has_no_problems(whole: State, store: Store, memory: Memory) -> None:
    assert check(store, data=True).problems == ()
    copy = Store(f"{store.disk.root}-copy")
    shutil.copytree(store.disk.root, copy.disk.root)
    for path in Path(copy.disk.root).rglob("*"):
        os.utime(path, (1, 1))
    report = check(copy, data=True)
    assert (report.problems, report.orphans, report.images, report.layers) == ((), 0, 1, 3)
    assert repair(copy, report) == ()
    assert state(copy) == state(store) == whole


def test_an_empty_store_has_no_problems(store: Store) -> None:
    with pytest.raises(NoStore):
        check(store)
    store.create()
    assert check(store).problems == ()


def test_files_of_nobody_are_no_problem(whole: State, store: Store) -> None:
    Path(store.disk.ingest, "sha256-" + "0" * 64).write_bytes(b"x" * 5000)
    report = check(store, data=True)
    assert report.problems == ()
    assert report.orphans >= 5000


@pytest.mark.parametrize("damage", [_flip, _zero, _short, _long, _empty, os.unlink])
def test_index_json(damage: Callable[[str], None], whole: State, store: Store) -> None:
    damage(store.disk.index)
    found = check(store)
    assert [problem.kind for problem in found.problems] == ["mirror"]
    assert repair(store, found) == ("wrote index.json again",)
    assert check(store, data=True).problems == ()
    assert state(store) == whole


@pytest.mark.parametrize("damage", [_zero, _empty, os.unlink])
def test_the_database(damage: Callable[[str], None], whole: State, store: Store) -> None:
    damage(store.disk.database)
    found = check(store)
    assert [problem.kind for problem in found.problems] == ["database"]
    assert repair(store, found, prepare=make_metadata) == ("rebuilt the database: 1 images",)
    assert check(store, data=True).problems == ()
    assert state(store) == whole


def test_an_older_database_put_back(store: Store, memory: Memory) -> None:
    memory.add("1", LAYERS[:1])
    memory.add("2", LAYERS[1:2])
    brought(store, memory, "app:1")
    old = Path(store.disk.database).read_bytes()
    brought(store, memory, "app:2")
    newer = state(store)
    Path(store.disk.database).write_bytes(old)
    found = check(store)
    assert [problem.message for problem in found.problems] == ["older than index.json"]
    repair(store, found)
    assert state(store) == newer


def test_a_layer_is_made_again_from_any_of_its_blobs(store: Store, memory: Memory) -> None:
    from_gzip = layer(1, 900_000)
    from_plain = layer(1, 900_000, "")
    memory.add("1", [from_gzip])
    memory.add("2", [from_plain])
    brought(store, memory, "app:1")
    brought(store, memory, "app:2")
    _empty(store.disk.blob(from_gzip.descriptor().digest))
    os.unlink(store.disk.layer_index(from_gzip.diff_id))
    repair(store, check(store, data=True), data=True)
    assert {problem.kind for problem in check(store, data=True).problems} == {"blob"}
    brought(store, memory, "app:1")
    assert check(store, data=True).problems == ()


def test_what_goes_while_it_looks_is_no_problem(store: Store, memory: Memory) -> None:
    """Images come and go while the check reads; it must not take that for damage."""
    for number in range(4):
        memory.add(str(number), [layer(1), layer(number + 2)])
    brought(store, memory, "app:0")
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            for number in (1, 2, 3):
                brought(store, memory, f"app:{number}")
                with store.writing() as tx:
                    tag(tx, f"app:{number}", "mine:1")
                    remove(tx, f"app:{number}", Nobody())

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        problems = [check(store, data=True).problems for _ in range(40)]
    finally:
        stop.set()
        thread.join()
    assert set(problems) == {()}
