"""Logs, read from files of Docker's json-file format."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from millefeuille.containers.logs import read
from millefeuille.containers.monitor.log import Log

_SECOND = 1_000_000_000


def _line(number: int, stream: str = "stdout", fraction: str = ".5") -> str:
    moment = f"2026-11-23T03:05:{number % 60:02d}{fraction}Z"
    return json.dumps({"log": f"line {number}\n", "stream": stream, "time": moment}) + "\n"


def _log(directory: Path, *lines: str) -> str:
    path = directory / "log"
    path.write_text("".join(lines))
    return str(path)


def _at(second: int) -> int:
    return (1795403100 + second) * _SECOND


def test_reads_every_record(tmp_path: Path) -> None:
    path = _log(tmp_path, _line(1), _line(2, "stderr", ""), _line(3, fraction=".123456789"))
    assert [(record.stream, record.text, record.time) for record in read(path)] == [
        ("stdout", "line 1\n", "2026-11-23T03:05:01.500000000Z"),
        ("stderr", "line 2\n", "2026-11-23T03:05:02.000000000Z"),
        ("stdout", "line 3\n", "2026-11-23T03:05:03.123456789Z"),
    ]


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert list(read(str(tmp_path / "none"))) == []
    assert list(read(str(tmp_path / "none"), alive=lambda: False)) == []


@pytest.mark.parametrize("count", [0, 1, 2, 3, 49, 50, 51, 5000, 9999, 10000, 20000])
def test_tail_of_a_long_log(tmp_path: Path, count: int) -> None:
    path = _log(tmp_path, *(_line(number) for number in range(10000)))
    expected = [f"line {number}\n" for number in range(max(0, 10000 - count), 10000)]
    assert [record.text for record in read(path, tail=count)] == expected


def test_tail_counts_lines_whose_end_is_that_of_a_block(tmp_path: Path) -> None:
    line = _line(1)
    whole = (1 << 16) // len(line)
    padded = line[:-2] + " " * ((1 << 16) - whole * len(line)) + "}\n"
    path = _log(tmp_path, line, *([line] * (whole - 1)), padded)
    for count in (1, 2, whole, whole + 1, whole + 5):
        assert len(list(read(path, tail=count))) == min(count, whole + 1)


@pytest.mark.parametrize(
    ("since", "until", "numbers"),
    [
        (None, None, [1, 2, 3, 4]), (_at(3), None, [3, 4]), (None, _at(3), [1, 2]),
        (_at(2), _at(4), [2, 3]), (_at(9), None, []), (None, _at(0), []),
    ],
)  # fmt: skip
def test_since_and_until(tmp_path: Path, since: int | None, until: int | None, numbers: list[int]) -> None:
    path = _log(tmp_path, *(_line(number) for number in (1, 2, 3, 4)))
    found = [record.text for record in read(path, since=since, until=until)]
    assert found == [f"line {number}\n" for number in numbers]


def test_what_a_crash_cut_off_is_left_out(tmp_path: Path) -> None:
    path = _log(tmp_path, _line(1), '{"log":"torn\n', _line(2), '{"log":"the end')
    assert [record.text for record in read(path)] == ["line 1\n", "line 2\n"]


def test_following_sees_what_is_written_until_the_end(tmp_path: Path) -> None:
    path = _log(tmp_path, _line(1))
    running = threading.Event()
    running.set()

    def write() -> None:
        with open(path, "a") as file:
            for number in range(2, 20):
                text = _line(number)
                file.write(text[:9])  # half a line, as a reader may find it
                file.flush()
                time.sleep(0.01)
                file.write(text[9:])
                file.flush()
            file.write(_line(20))
        running.clear()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = [record.text for record in read(path, alive=running.is_set)]
    finally:
        writer.join()
    assert found == [f"line {number}\n" for number in range(1, 21)]


def test_following_waits_for_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    looks = iter([True, True, True, False, False, False])

    def alive() -> bool:
        answer = next(looks)
        if not path.exists():
            path.write_text(_line(1))
        return answer

    assert [record.text for record in read(str(path), alive=alive)] == ["line 1\n"]


def test_following_ends_when_the_time_is_up(tmp_path: Path) -> None:
    path = _log(tmp_path, _line(1))
    until = time.time_ns() + _SECOND // 5
    assert [record.text for record in read(path, until=until, alive=lambda: True)] == ["line 1\n"]
    assert time.time_ns() >= until


class TestSeveralFiles:
    """A log that began anew when a file was full."""

    def test_the_oldest_comes_first(self, tmp_path: Path) -> None:
        path = _log(tmp_path, _line(5), _line(6))
        (tmp_path / "log.1").write_text(_line(3) + _line(4))
        (tmp_path / "log.2").write_text(_line(1) + _line(2))
        assert [record.text for record in read(path)] == [f"line {number}\n" for number in range(1, 7)]

    @pytest.mark.parametrize("count", range(8))
    def test_tail(self, tmp_path: Path, count: int) -> None:
        path = _log(tmp_path, _line(5), _line(6))
        (tmp_path / "log.1").write_text(_line(3) + _line(4))
        (tmp_path / "log.2").write_text(_line(1) + _line(2))
        expected = [f"line {number}\n" for number in range(max(1, 7 - count), 7)]
        assert [record.text for record in read(path, tail=count)] == expected

    def test_one_that_is_moved_up_meanwhile_is_read_once(self, tmp_path: Path) -> None:
        path = _log(tmp_path, _line(1))
        (tmp_path / "log.1").hardlink_to(path)
        assert [record.text for record in read(path)] == ["line 1\n"]

    @pytest.mark.parametrize("files", [1, 2, 3])
    def test_a_follower_goes_on_in_the_next(self, tmp_path: Path, files: int) -> None:
        log = Log(str(tmp_path / "log"), size=2000, files=files)
        running = threading.Event()
        running.set()

        def write() -> None:
            for number in range(200):
                log.write("stdout", b"%d\n" % number)
                time.sleep(0.005)  # slowly: a reader that is behind may miss what is dropped
            running.clear()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            found = [record.text for record in read(str(tmp_path / "log"), alive=running.is_set)]
        finally:
            writer.join()
        if files > 1:
            assert found == [f"{number}\n" for number in range(200)]
        else:
            assert found[-1] == "199\n" and len(found) > 50

    def test_a_follower_lets_go_of_files_it_has_read(self, tmp_path: Path) -> None:
        log = Log(str(tmp_path / "log"), size=100, files=3)
        log.write("stdout", b"0\n")
        rounds, opened = iter(range(1, 60)), []

        def alive() -> bool:
            number = next(rounds, None)
            if number is not None:
                log.write("stdout", b"%d\n" % number)
            opened.append(len(os.listdir("/proc/self/fd")))
            return number is not None

        found = [record.text for record in read(str(tmp_path / "log"), alive=alive)]
        assert found == [f"{number}\n" for number in range(60)]
        assert max(opened) - opened[0] <= 6

    def test_what_each_line_carries(self, tmp_path: Path) -> None:
        Log(str(tmp_path / "log"), attributes='{"a":"1"}').write("stdout", b"x\n")
        (record,) = read(str(tmp_path / "log"))
        assert record.attributes == {"a": "1"}
