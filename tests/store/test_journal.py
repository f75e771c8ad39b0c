"""The journal: whole lines, in order, from many processes, and on from one file to the next."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from millefeuille.store import journal
from millefeuille.store.journal import Reader, note


@pytest.fixture
def path(tmp_path: Path) -> Iterator[str]:
    yield str(tmp_path / "journal")


def told(path: str, *actions: str) -> None:
    for action in actions:
        note(path, "container", action, "c1", {"name": "one"})


def test_a_line_for_each(path: str) -> None:
    note(path, "volume", "mount", "v", {"driver": "local", "read/write": "true"})
    (found,) = Reader(path).fresh()
    assert (found.kind, found.action, found.actor) == ("volume", "mount", "v")
    assert found.attributes == {"driver": "local", "read/write": "true"}
    assert found.at_ns > 1_700_000_000 * 10**9
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_a_reader_goes_on(path: str) -> None:
    reader = Reader(path)
    assert reader.fresh() == []
    told(path, "create", "start")
    assert [one.action for one in reader.fresh()] == ["create", "start"]
    assert reader.fresh() == []
    told(path, "die")
    assert [one.action for one in reader.fresh()] == ["die"]


def test_half_a_line_waits_for_its_end(path: str) -> None:
    told(path, "create")
    whole = Path(path).read_bytes()
    reader = Reader(path)
    with open(path, "ab") as file:
        file.write(whole[:20])
        file.flush()
        assert len(reader.fresh()) == 1
        file.write(whole[20:])
    assert len(reader.fresh()) == 1


def test_what_a_crash_cut_off_is_passed_over(path: str) -> None:
    Path(path).write_bytes(b'{"at": 1\n[]\n{"at": "x"}\n')
    told(path, "start")
    assert [one.action for one in Reader(path).fresh()] == ["start"]


def test_a_full_file_becomes_the_older_one(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_FULL", 500)
    behind, beside = Reader(path), Reader(path)
    seen: list[str] = []
    for number in range(40):
        told(path, str(number))
        if number % 3 == 0:  # as often as a follower looks
            seen += [one.action for one in beside.fresh()]
    seen += [one.action for one in beside.fresh()]
    assert seen == [str(number) for number in range(40)]
    assert sorted(os.listdir(os.path.dirname(path))) in (["journal", "journal.1"], ["journal.1"])
    last = [int(one.action) for one in behind.fresh()]
    assert last == list(range(last[0], 40)) and len(last) >= 4


def test_nobody_fails_for_a_line_that_cannot_be_written(tmp_path: Path) -> None:
    told(str(tmp_path / "missing" / "journal"), "start")
    (tmp_path / "journal").mkdir()
    told(str(tmp_path / "journal"), "start")


def test_many_processes(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_FULL", 200_000)
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            told(path, *(f"{os.getpid()} {number}" for number in range(300)))
            os._exit(0)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    found = [one.action for one in Reader(path).fresh()]
    assert len(found) == 1200
    for child in children:
        own = [action for action in found if action.startswith(f"{child} ")]
        assert own == [f"{child} {number}" for number in range(300)]
