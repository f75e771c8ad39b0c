"""Streams of a process, carried between pipes and descriptors of ours."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from millefeuille.containers.piping import Piping
from millefeuille.runtime.runtime import Stdio


def carried(script: str, directory: Path, *, given: bytes | None = None) -> tuple[bytes, bytes, int]:
    """What a shell writes to its two streams, and its exit code."""
    (directory / "in").write_bytes(given or b"")
    ends = [os.open(directory / "in", os.O_RDONLY)]
    ends += [os.open(directory / name, os.O_RDWR | os.O_CREAT | os.O_TRUNC) for name in ("out", "err")]
    try:
        outer = Stdio(stdin=None if given is None else ends[0], stdout=ends[1], stderr=ends[2])
        with Piping(outer) as piping:
            inner = piping.inner
            process = subprocess.Popen(
                ["sh", "-c", script], cwd=directory, stdout=inner.stdout, stderr=inner.stderr,
                stdin=subprocess.DEVNULL if inner.stdin is None else inner.stdin,
            )  # fmt: skip
            piping.carry()
            code = process.wait()
            piping.finish()
    finally:
        for end in ends:
            os.close(end)
    return (directory / "out").read_bytes(), (directory / "err").read_bytes(), code


def test_both_streams_and_the_exit_code(tmp_path: Path) -> None:
    assert carried("echo out; echo err >&2; exit 3", tmp_path) == (b"out\n", b"err\n", 3)
    assert carried("cat", tmp_path) == (b"", b"", 0), "without input there is none"


@pytest.mark.parametrize("size", [0, 1, 65536, 3_000_001])
def test_what_goes_in_comes_out(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    assert carried("cat; cat >&2", tmp_path, given=data) == (data, b"", 0)


def test_input_that_nobody_reads(tmp_path: Path) -> None:
    assert carried("head -c 3; exit 4", tmp_path, given=b"abc" * 100_000) == (b"abc", b"", 4)


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_output_that_cannot_be_written_is_told(name: str) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with Piping(Stdio(**{"stdin": None, "stdout": None, "stderr": None, name: full})) as piping:
            given = getattr(piping.inner, name)
            process = subprocess.Popen(["echo", "x"], stdout=given)
            piping.carry()
            assert process.wait() == 0
            lost = piping.finish()
    finally:
        os.close(full)
    assert str(lost) == f"write /dev/{name}: no space left on device"


def test_a_reader_who_wants_no_more_loses_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        with Piping(Stdio(stdin=None, stdout=writer, stderr=None)) as piping:
            process = subprocess.Popen(["echo", "x"], stdout=piping.inner.stdout)
            piping.carry()
            assert process.wait() == 0
            assert piping.finish() is None
    finally:
        os.close(writer)


def test_who_stays_in_the_background_is_waited_for_a_little_and_lives_on(tmp_path: Path) -> None:
    begin = time.monotonic()
    counting = "n=0; while [ $n -lt 40 ]; do echo $n; n=$((n + 1)); sleep 0.1; done; echo alive > told"
    out, err, code = carried(f"({counting}) & echo first", tmp_path)
    assert 1.5 < time.monotonic() - begin < 3.9
    assert (b"first\n" in out, err, code) == (True, b"", 0)
    assert b"5\n" in out
    deadline = time.monotonic() + 30
    while not (tmp_path / "told").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert (tmp_path / "told").read_text() == "alive\n", "nobody reads its pipe"


def test_a_reader_who_takes_his_time_gets_all(tmp_path: Path) -> None:
    """Longer than what holds pipes open is waited for."""
    reader, writer = os.pipe()
    with open(tmp_path / "all", "wb") as whole, open(reader, "rb") as slow:
        copying = subprocess.Popen(["sh", "-c", "sleep 3; exec cat"], stdin=slow, stdout=whole)
        with Piping(Stdio(stdin=None, stdout=writer, stderr=None)) as piping:
            words = ["head", "-c", "150000", "/dev/zero"]
            process = subprocess.Popen(words, stdout=piping.inner.stdout, stderr=subprocess.DEVNULL)
            piping.carry()
            process.wait()
            piping.finish()
        os.close(writer)
        copying.wait()
    assert (tmp_path / "all").stat().st_size == 150_000
