"""The log's records, against Docker's json-file format."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from millefeuille.containers.logs import read
from millefeuille.containers.monitor.log import Log


def records(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_lines_become_records_once_they_end(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "log"))
    log.write("stdout", b"one\ntw")
    assert [record["log"] for record in records(tmp_path / "log")] == ["one\n"]
    log.write("stderr", b"<err & more>\n")
    log.write("stdout", b"o\nrest")
    log.finish()
    told = [(record["stream"], record["log"]) for record in records(tmp_path / "log")]
    assert told == [
        ("stdout", "one\n"), ("stderr", "<err & more>\n"), ("stdout", "two\n"), ("stdout", "rest"),
    ]  # fmt: skip
    assert "\\u003cerr \\u0026 more\\u003e" in (tmp_path / "log").read_text()  # as Go writes it
    assert records(tmp_path / "log")[0]["time"].endswith("Z")


def test_long_lines_are_cut_and_only_the_last_piece_ends(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "log"))
    log.write("stdout", b"x" * 40_000 + b"\n")
    pieces = [record["log"] for record in records(tmp_path / "log")]
    assert [len(piece) for piece in pieces] == [16384, 16384, 7233]
    assert [piece.endswith("\n") for piece in pieces] == [False, False, True]


def test_bytes_that_are_no_text_are_replaced(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "log"))
    log.write("stdout", b"\xff\n")
    assert records(tmp_path / "log")[0]["log"] == "\ufffd\n"


def test_no_path_keeps_nothing() -> None:
    log = Log("")
    log.write("stdout", b"gone\n")
    log.finish()


def test_a_full_file_moves_up(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = Log(str(path), size=150, files=3)
    for number in range(11):
        log.write("stdout", b"%d\n" % number)
    log.finish()
    names = ["log.2", "log.1", "log"]
    assert [record["log"] for name in names for record in records(tmp_path / name)] == [
        f"{number}\n" for number in range(3, 11)
    ]
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(names)
    assert all(each.stat().st_size < 150 + 100 for each in tmp_path.iterdir())


def test_one_file_begins_again(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "log"), size=150)
    log.write("stdout", b"".join(b"%d\n" % number for number in range(7)))
    assert [record["log"] for record in records(tmp_path / "log")] == ["6\n"]
    assert [each.name for each in tmp_path.iterdir()] == ["log"]


def test_a_start_goes_on_in_the_file_that_is_there(tmp_path: Path) -> None:
    for number in range(4):
        Log(str(tmp_path / "log"), size=150, files=2).write("stdout", b"%d\n" % number)
    assert len(records(tmp_path / "log.1")) == 3
    assert len(records(tmp_path / "log")) == 1


def test_attributes_stand_before_the_time(tmp_path: Path) -> None:
    Log(str(tmp_path / "log"), attributes='{"a":"1"}').write("stderr", b"x\n")
    begin = '{"log":"x\\n","stream":"stderr","attrs":{"a":"1"},"time":"2'
    assert (tmp_path / "log").read_text().startswith(begin)


def full(*arguments: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_without_room_for_another_file_none_moves_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log"
    log = Log(str(path), size=150, files=4)
    for number in range(6):
        log.write("stdout", b"%d\n" % number)
    monkeypatch.setattr(os, "open", full)
    for number in range(6, 20):
        log.write("stdout", b"%d\n" % number)
    monkeypatch.undo()
    log.write("stdout", b"20\n")
    names = sorted(each.name for each in tmp_path.iterdir())
    assert names == ["log", "log.1", "log.2"]
    told = [record["log"] for name in reversed(names) for record in records(tmp_path / name)]
    assert told == [*(f"{number}\n" for number in range(6)), "20\n"]


@pytest.mark.parametrize("size", [0, 10_000])
@pytest.mark.parametrize("again", [False, True], ids=["goes on", "starts again"])
def test_a_torn_line_takes_no_other_with_it(
    size: int, again: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    log = Log(str(path), size=size)
    log.write("stdout", b"one\n")
    true, left = os.write, [7, 0]

    def write(file: int, data: bytes) -> int:
        count = left.pop(0)
        return true(file, data[:count]) if count else full()

    monkeypatch.setattr(os, "write", write)
    log.write("stdout", b"torn\n")
    monkeypatch.undo()
    log = Log(str(path), size=size) if again else log
    log.write("stdout", b"two\n")
    log.write("stdout", b"three\n")
    lines = path.read_bytes().splitlines()
    assert [json.loads(lines[place])["log"] for place in (0, 2, 3)] == ["one\n", "two\n", "three\n"]
    assert (len(lines), len(lines[1])) == (4, 7)
    assert [record.text for record in read(str(path))] == ["one\n", "two\n", "three\n"]
