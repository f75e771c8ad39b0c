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
