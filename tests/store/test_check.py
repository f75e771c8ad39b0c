"""Damage of every kind to every kind of file: found, mended from what is there, or healed by a pull."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.store.memory import Memory, brought, layer
from tests.store.state import State, state

from millefeuille.images.remove import remove
from millefeuille.images.tag import tag
from millefeuille.images.users import Nobody
from millefeuille.snapshots.erofs.stored import make_metadata
from millefeuille.store.check import check
from millefeuille.store.database import BrokenDatabase
from millefeuille.store.disk import NoStore
from millefeuille.store.images import layers_of
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


# What stands in the database alone: when something came or was used, and what no later command asks for.
_ALONE = {
    "images.added_ns", "names.tagged_ns", "repo_digests.repository", "layer_blobs.size", "layer_blobs.digest",
    "name_platforms.platform", "manifests.media_type", "build_steps.key", "build_steps.inputs",
    "build_steps.made_ns", "build_steps.took_ns", "build_steps.used_ns",
    "build_steps.uses", "sources.digest", "sources.repository", "chains.depth",
}  # fmt: skip


# What index.json says otherwise: that they differ is found, which of the two is right nobody knows.
_EITHER = {"manifests.media_type", "indexes.media_type", "repo_digests.repository"}


def _cells(path: str) -> list[tuple[str, str, int]]:
    with closing(sqlite3.connect(path)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return [
            (table, column[1], number)
            for table in tables
            if table not in ("events", "leases", "lease_items", "deleting", "builds", "meta")
            for number in range(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
            for column in connection.execute(f"PRAGMA table_info({table})")
        ]


def _change(path: str, table: str, column: str, number: int) -> bool:
    """Make another value of one; whether there was any."""
    with closing(sqlite3.connect(path)) as connection:
        keys = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[5]]
        query = f"SELECT {column}, {', '.join(keys)} FROM {table} ORDER BY {', '.join(keys)} LIMIT 1 OFFSET ?"
        value, *key = connection.execute(query, (number,)).fetchone()
        if value in (None, ""):
            return False
        place = len(value) // 2 if isinstance(value, str) else 0
        flipped = value ^ 1024 if isinstance(value, int) else chr(ord(value[place]) ^ 1)
        other = flipped if isinstance(value, int) else f"{value[:place]}{flipped}{value[place + 1 :]}"
        where = " AND ".join(f"{name} = ?" for name in keys)
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (other, *key))
        connection.commit()
    return True


def test_a_value_that_became_another_is_found_and_mended(store: Store, memory: Memory, whole: State) -> None:
    child = memory.add("child", [*LAYERS, layer(4)])
    brought(store, memory, "app:child", prepare=make_metadata)
    assert child
    database = Path(store.disk.database)
    before, expected, unseen = database.read_bytes(), state(store)[1], set()
    assert check(store, data=True).problems == ()
    for table, column, number in _cells(store.disk.database):
        if _change(store.disk.database, table, column, number):
            report = check(store, data=True)
            if not report.problems:
                unseen.add(f"{table}.{column}")
            else:
                repair(store, report, data=True, prepare=make_metadata)
                found = state(store)[1]
                wrong = {name for name, rows in found.items() if rows != expected[name]}
                assert check(store, data=True).problems == (), (table, column)
                assert not wrong or f"{table}.{column}" in _EITHER, (table, column, wrong)
        database.write_bytes(before)
        os.unlink(store.disk.index)
        with store.writing():
            pass
    assert unseen <= _ALONE


def test_what_nobody_wrote_is_said_to_be_damage(store: Store, memory: Memory, whole: State) -> None:
    statements = {
        "UPDATE images SET chain = 'sha256:0'": "leads nowhere",
        "UPDATE images SET labels = '{'": "is not what the documents",
        "UPDATE layers SET diff_id = replace(diff_id, 'a', 'b')": "leads nowhere",
        "UPDATE names SET image = replace(image, 'a', 'b')": "leads nowhere",
        "UPDATE images SET created = CAST(x'ff' AS TEXT)": "Could not decode",
        "ALTER TABLE names RENAME COLUMN name TO nane": "no such column",
    }
    database = Path(store.disk.database)
    before = database.read_bytes()
    for statement, words in statements.items():
        with closing(sqlite3.connect(database)) as connection:
            connection.execute(statement)
            connection.commit()
        report = check(store)
        told = [(one.kind, words in one.message) for one in report.problems]
        assert told == [("database", True)], statement
        repair(store, report, prepare=make_metadata)
        assert check(store).problems == (), statement
        database.write_bytes(before)
        os.unlink(store.disk.index)
        with store.writing():
            pass


def test_a_layer_that_is_not_recorded_is_not_left_out(store: Store, whole: State) -> None:
    with closing(sqlite3.connect(store.disk.database)) as connection:
        connection.execute("DELETE FROM layers WHERE diff_id = (SELECT max(diff_id) FROM layers)")
        connection.commit()
    with store.reading() as tx, pytest.raises(BrokenDatabase, match="a layer that is not recorded"):
        layers_of(tx, find(tx, "app:many").id)


@pytest.mark.parametrize("loses_database", [False, True])
@pytest.mark.parametrize("tag", ["", "1"])
def test_a_name_with_a_digest_is_dropped(tag: str, loses_database: bool, store: Store, whole: State) -> None:
    """Versions before let an image have one; it is the only thing that is wrong then."""
    repository = "docker.io/library/app"
    name = f"{repository}{tag and ':'}{tag}@sha256:{'0' * 64}"
    with store.writing() as tx:
        columns = "?, ?, ?, target, image, tagged_ns"
        tx.execute(f"INSERT INTO names SELECT {columns} FROM names LIMIT 1", (name, repository, tag))
        columns = "?, platform, manifest, image"
        tx.execute(f"INSERT INTO name_platforms SELECT {columns} FROM name_platforms", (name,))
        tx.changed_names = True
    report = check(store)
    assert [(one.kind, one.subject) for one in report.problems] == [("name", name)]
    assert (report.images, report.layers) == (1, len(LAYERS))
    if loses_database:
        os.unlink(store.disk.database)
        done = repair(store, check(store), prepare=make_metadata)
        assert f"lost: {name}: invalid tag {name}: a digest cannot be given" in done
    else:
        assert repair(store, report) == (f"dropped the name {name}; its image stays",)
    assert check(store, data=True).problems == ()
    assert state(store) == whole


@pytest.mark.parametrize("loses_database", [False, True])
def test_a_name_like_an_id_is_dropped(loses_database: bool, store: Store, whole: State) -> None:
    """Versions before let an image have one."""
    repository = "docker.io/library/sha256"
    name = f"{repository}:{'a' * 12}"
    with store.writing() as tx:
        columns = "?, ?, ?, target, image, tagged_ns"
        tx.execute(f"INSERT INTO names SELECT {columns} FROM names LIMIT 1", (name, repository, "a" * 12))
        columns = "?, platform, manifest, image"
        tx.execute(f"INSERT INTO name_platforms SELECT {columns} FROM name_platforms", (name,))
        tx.changed_names = True
    report = check(store)
    [problem] = report.problems
    assert (problem.kind, problem.subject) == ("name", name)
    assert problem.message == "is like an ID, so it hides the image that has that"
    if loses_database:
        os.unlink(store.disk.database)
        done = repair(store, check(store), prepare=make_metadata)
        assert any(line.startswith(f"lost: {name}: refusing to create an ambiguous tag") for line in done)
    else:
        assert repair(store, report) == (f"dropped the name {name}; its image stays",)
    assert check(store, data=True).problems == ()
    assert state(store) == whole
