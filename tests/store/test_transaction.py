from __future__ import annotations

import contextlib
import errno
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.store.memory import Memory, brought, layer
from tests.store.state import state

from millefeuille import files
from millefeuille.errors import Failed, MilleError
from millefeuille.store import database, mirror
from millefeuille.store.check import check
from millefeuille.store.database import BrokenDatabase, NewerDatabase, OlderDatabase
from millefeuille.store.disk import NoStore
from millefeuille.store.mirror import MirrorAhead
from millefeuille.store.rebuild import rebuild
from millefeuille.store.repair import repair
from millefeuille.store.schema import VERSION
from millefeuille.store.store import Store
from millefeuille.store.sweep import orphans


@pytest.fixture
def made(store: Store) -> Store:
    """A store with an empty database."""
    store.create()
    with store.writing():
        pass
    return store


def _doomed(store: Store) -> Path:
    path = Path(store.disk.layers, "x")
    path.mkdir()
    (path / "file").write_bytes(b"x")
    return path


def _deleting(store: Store) -> int:
    with store.reading() as tx:
        return int(tx.execute("SELECT count(*) FROM deleting").fetchone()[0])


def test_what_is_doomed_goes_after_the_commit(made: Store) -> None:
    path = _doomed(made)
    with made.writing() as tx:
        tx.doom(str(path))
        assert path.exists()
    assert not path.exists()
    assert os.listdir(made.disk.trash) == []
    assert _deleting(made) == 0


def test_what_is_dropped_goes_after_the_commit_and_is_written_down_nowhere(made: Store) -> None:
    path = _doomed(made)
    with made.writing() as tx:
        tx.drop(str(path))
        assert path.exists() and tx.execute("SELECT count(*) FROM deleting").fetchone()[0] == 0
    assert not path.exists() and os.listdir(made.disk.trash) == []


def test_a_store_may_lie_where_a_path_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(os.fsdecode(bytes(tmp_path / "n") + b"\xff"))
    store.create()
    with store.writing() as tx:
        tx.doom(str(_doomed(store)))
    assert os.listdir(store.disk.layers) == os.listdir(store.disk.trash) == []
    path, rename = _doomed(store), os.rename

    def cut_off(source: str, target: str) -> None:
        if source == str(path):
            raise ZeroDivisionError
        rename(source, target)

    monkeypatch.setattr(os, "rename", cut_off)
    with pytest.raises(ZeroDivisionError), store.writing() as tx:
        tx.doom(str(path))
    monkeypatch.undo()
    assert path.exists()
    with store.writing():
        pass
    assert not path.exists()


def test_an_analysis_that_was_cut_off_is_nobodys(made: Store) -> None:
    directory = Path(made.disk.root, "analysis")
    directory.mkdir()
    (directory / "a.head").touch()
    (directory / "b.head.new-123").write_bytes(b"x")
    with made.writing() as tx:
        assert orphans(tx) > 0
    assert os.listdir(directory) == ["a.head"]


def test_an_exception_takes_everything_back(made: Store) -> None:
    path = _doomed(made)
    with pytest.raises(ZeroDivisionError), made.writing() as tx:
        tx.doom(str(path))
        raise ZeroDivisionError
    assert path.exists()
    assert _deleting(made) == 0


def test_the_next_transaction_finishes_a_removal(made: Store) -> None:
    path = _doomed(made)
    with made.writing() as tx:
        tx.execute("INSERT INTO deleting VALUES (?)", (str(path),))
    assert path.exists() and _deleting(made) == 1
    with made.writing() as tx:
        assert not path.exists()
    assert _deleting(made) == 0


def test_what_is_gone_already_is_no_error(made: Store) -> None:
    with made.writing() as tx:
        tx.doom(f"{made.disk.layers}/nowhere")
    with made.writing():
        pass
    assert _deleting(made) == 0


def test_the_mirror_carries_the_commits_number(made: Store) -> None:
    assert mirror.written(made.disk.index) == 0
    with made.writing() as tx:
        tx.changed_names = True
    assert mirror.written(made.disk.index) == 1
    before = os.stat(made.disk.index).st_ino
    with made.writing():
        pass
    assert os.stat(made.disk.index).st_ino == before  # nothing to say


def test_a_mirror_that_is_behind_is_written_again(made: Store, memory: Memory) -> None:
    memory.add("1", [layer(1)])
    brought(made, memory, "app:1")
    good = Path(made.disk.index).read_bytes()
    for damaged in (b"", b"{}", good.replace(b'sequence":"1"', b'sequence":"0"')):
        Path(made.disk.index).write_bytes(damaged)
        with made.writing():
            pass
        assert Path(made.disk.index).read_bytes() == good


def _renamed(store: Store, seen: list[int] | None = None) -> None:
    with store.writing() as tx:
        tx.changed_names = True
    if seen is not None:
        seen.append(mirror.written(store.disk.index))


def test_a_rehearsal_is_on_a_copy_with_the_same_rules(made: Store) -> None:
    with made.writing() as tx:
        tx.execute("INSERT INTO leases VALUES ('a', 'test', 1, 1)")
        tx.execute("INSERT INTO lease_items VALUES ('a', 'item')")
    before = state(made)
    with made.rehearsing() as rehearsal:
        rehearsal.execute("DELETE FROM leases")
        assert rehearsal.execute("SELECT count(*) FROM lease_items").fetchone() == (0,)
        rehearsal.doom(made.disk.index)
        assert not rehearsal.is_outdated()
    assert state(made) == before
    with made.rehearsing() as rehearsal:
        _renamed(made)
        assert rehearsal.is_outdated()
        assert mirror.sequence(rehearsal.execute) == 0


def test_a_rehearsal_without_a_database(store: Store) -> None:
    with pytest.raises(NoStore), store.rehearsing():
        pass
    store.create()
    with store.rehearsing() as rehearsal:
        rehearsal.execute("INSERT INTO deleting VALUES ('x')")
        assert not rehearsal.is_outdated()
    assert not os.path.exists(store.disk.database)


@pytest.mark.parametrize("act", ["create", "write", "commit"])
def test_without_room_for_the_mirror_nothing_changes(
    act: str, made: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(name: str, target: object) -> None:
        if name == act and (act != "create" or "index.json" in str(target)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), made.disk.index)

    monkeypatch.setattr(files, "hook", full)
    with pytest.raises((OSError, files.DiskFull)), made.writing() as tx:
        tx.changed_names = True
    monkeypatch.setattr(files, "hook", None)
    assert [name for name in os.listdir(made.disk.root) if ".tmp-" in name] == []
    with made.reading() as tx:
        assert mirror.sequence(tx.execute) == mirror.written(made.disk.index) == 0
    _renamed(made)
    assert mirror.written(made.disk.index) == 1


def test_the_mirror_of_many_is_written_once(made: Store) -> None:
    seen: list[int] = []
    with made.together():
        _renamed(made, seen)
        _renamed(made, seen)
    assert seen == [0, 0] and mirror.written(made.disk.index) == 2
    _renamed(made)
    assert mirror.written(made.disk.index) == 3
    with pytest.raises(ZeroDivisionError), made.together():
        _renamed(made)
        raise ZeroDivisionError
    assert mirror.written(made.disk.index) == 4


def test_another_process_need_not_wait_for_the_mirror(made: Store) -> None:
    other = Store(made.disk.root)
    with made.together():
        _renamed(made)
        with other.writing():
            pass
        assert mirror.written(made.disk.index) == 1
        _renamed(made)
    assert mirror.written(made.disk.index) == 2


def test_together_nothing_changes_nothing(made: Store, tmp_path: Path) -> None:
    os.unlink(made.disk.lock)  # which every transaction that writes would make again
    with made.together(emergency=True), made.reading():
        pass
    assert not os.path.exists(made.disk.lock)
    with Store(str(tmp_path / "none")).together():
        pass
    assert not (tmp_path / "none").exists()


def test_a_mirror_that_is_ahead_is_never_overwritten(made: Store, memory: Memory) -> None:
    memory.add("1", [layer(1)])
    brought(made, memory, "app:1")
    ahead = Path(made.disk.index).read_bytes().replace(b'sequence":"1"', b'sequence":"9"')
    Path(made.disk.index).write_bytes(ahead)
    with pytest.raises(MirrorAhead) as caught, made.writing():
        pass
    assert "check --repair" in str(caught.value.advice)
    assert Path(made.disk.index).read_bytes() == ahead


def test_no_store(store: Store) -> None:
    with pytest.raises(NoStore, match=f"^{store.disk.root}: no store here$"), store.reading():
        pass


def test_a_lost_database_is_not_made_anew_beside_images(made: Store, memory: Memory) -> None:
    memory.add("1", [layer(1)])
    brought(made, memory, "app:1")
    os.unlink(made.disk.database)
    for opened in (made.reading, made.writing):
        with pytest.raises(BrokenDatabase, match="missing, but there are images"), opened():
            pass
    assert not os.path.exists(made.disk.database)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100, b"SQLite format 3\0" + bytes(4080)])
def test_a_broken_database_says_what_to_do(content: bytes, made: Store) -> None:
    Path(made.disk.database).write_bytes(content)
    for opened in (made.reading, made.writing):
        with pytest.raises(BrokenDatabase) as caught, opened():
            pass
        assert caught.value.advice == "Rebuild it with `mille system check --repair`."
        assert "\n" not in str(caught.value)


@contextlib.contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_the_disk_refuses_is_no_damage(made: Store) -> None:
    with made.writing() as tx:
        tx.executemany("INSERT INTO meta VALUES (?, ?)", [(f"{n:0300}", n) for n in range(1000)])
    with no_file_beyond(100_000):
        for opened in (made.writing, made.reading, made.writing):
            with pytest.raises(Failed, match="disk I/O error"), opened() as tx:
                tx.execute("UPDATE meta SET key = key || 'x' WHERE key LIKE '0%'")
    with made.reading() as tx:
        assert tx.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_database_that_cannot_be_made_leaves_nothing(made: Store) -> None:
    os.unlink(made.disk.database)
    before = sorted(os.listdir(made.disk.root))
    with no_file_beyond(8192):
        with pytest.raises(Failed, match="disk I/O error"):
            database.connect(made.disk.database)
        with pytest.raises(Failed, match="disk I/O error"):
            rebuild(made)
    assert sorted(os.listdir(made.disk.root)) == before


def test_a_newer_database_is_left_alone(made: Store) -> None:
    with made.writing() as tx:
        tx.execute("PRAGMA user_version=99")
    before = Path(made.disk.database).read_bytes()
    with pytest.raises(NewerDatabase), made.reading():
        pass
    assert Path(made.disk.database).read_bytes() == before


def test_an_older_database_is_called_so_and_can_be_rebuilt(made: Store) -> None:
    before = state(made)
    with made.writing() as tx:
        tx.execute("PRAGMA user_version=1")
    path = made.disk.database
    with pytest.raises(OlderDatabase) as refused, made.reading():
        pass
    said = f"format 1 is older than this engine's {VERSION}"
    assert str(refused.value) == f"{path}: {said}"
    assert refused.value.advice == "Rebuild it with `mille system check --repair`."
    found = check(made)
    assert [(problem.subject, problem.message) for problem in found.problems] == [(path, said)]
    repair(made, found)
    assert state(made) == before


def test_writers_wait_for_each_other_but_not_for_ever(made: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.lock, "__kwdefaults__", {"shared": False, "timeout": 0.05})
    monkeypatch.setattr(files.locked.__wrapped__, "__kwdefaults__", {"shared": False, "timeout": 0.05})
    with made.writing(), pytest.raises(MilleError, match="held by another process"), made.writing():
        pass


def test_readers_see_the_state_before(made: Store) -> None:
    with made.writing() as tx:
        tx.execute("INSERT INTO meta VALUES ('a', 'b')")
        with made.reading() as other:
            assert other.execute("SELECT 1 FROM meta WHERE key = 'a'").fetchone() is None
    with made.reading() as other:
        assert other.execute("SELECT value FROM meta WHERE key = 'a'").fetchone() == ("b",)


def test_the_ballast_is_given_up_on_a_tight_disk_and_made_again(
    made: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("millefeuille.store.transaction._is_tight", lambda root: True)
    with made.writing():
        assert os.path.exists(made.disk.ballast)
    with made.writing(emergency=True):
        assert not os.path.exists(made.disk.ballast)
    assert os.path.exists(made.disk.ballast)
