"""The log's records, against Docker's json-file format."""

from __future__ import annotations

import json
from pathlib import Path

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
