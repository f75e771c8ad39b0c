"""Processes halted by their control group, on whatever this kernel has of the two versions."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from millefeuille.runtime import cgroup, freezer

ID = "f" * 63 + "7"
OLD, NEW = Path(cgroup.ROOT, "freezer"), Path(cgroup.ROOT, "unified")


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The ID of a process that writes to a file without end, and the file."""
    file = tmp_path / "count"
    process = subprocess.Popen(["sh", "-c", f"while :; do echo . >> {file}; sleep 0.002; done"])
    yield process.pid, file
    process.kill()
    process.wait()


def group_of(top: Path, pid: int, name: str = ID) -> Iterator[Path]:
    group = top / name
    try:
        group.mkdir()
        (group / "cgroup.procs").write_text(str(pid))
    except OSError as error:
        pytest.skip(f"{top}: {error.strerror}")
    try:
        yield group
    finally:
        for name, word in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
            if (group / name).exists():
                (group / name).write_text(word)
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while (group / "cgroup.procs").read_text():  # what it started last
            assert time.monotonic() < deadline
            time.sleep(0.002)
        group.rmdir()


def goes_on(file: Path) -> bool:
    before = file.stat().st_size if file.exists() else 0
    time.sleep(0.1)
    return file.exists() and file.stat().st_size > before


@pytest.mark.walk
@pytest.mark.parametrize("name", [ID, f"0123456789ab-{ID}"])
def test_a_group_of_version_1_is_halted_and_let_go_on(counter: tuple[int, Path], name: str) -> None:
    pid, file = counter
    for _ in group_of(OLD, pid, name):
        assert goes_on(file)
        assert freezer.freeze(pid, ID)
        assert not goes_on(file)
        assert freezer.freeze(pid, ID), "halted already"
        assert freezer.thaw(pid, ID)
        assert goes_on(file)


@pytest.mark.walk
def test_a_group_of_version_2_is_halted_and_let_go_on(
    counter: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pid, file = counter
    for group in group_of(NEW, pid):
        monkeypatch.setattr(freezer, "_group", lambda *_, group=group: (str(group), False))
        assert freezer.freeze(pid, ID)
        assert not goes_on(file)
        assert freezer.thaw(pid, ID)
        assert goes_on(file)


@pytest.mark.walk
def test_a_group_that_is_not_the_containers_is_left_alone(counter: tuple[int, Path]) -> None:
    pid, file = counter
    for _ in group_of(OLD, pid):
        assert not freezer.freeze(pid, "e" * 64)
        assert not freezer.thaw(pid, "e" * 64)
        assert not freezer.freeze(os.getpid(), ID)
        assert goes_on(file)


def test_a_process_that_is_gone_is_not_halted() -> None:
    assert not freezer.freeze(1 << 22, ID)
    assert not freezer.thaw(1 << 22, ID)


def test_a_group_that_cannot_be_halted_is_let_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written: list[str] = []

    def write(path: str, text: str) -> bool:
        written.append(text)
        return True

    monkeypatch.setattr(freezer, "_write", write)
    monkeypatch.setattr(freezer, "_read", lambda _: "FREEZING\n")
    monkeypatch.setattr(freezer, "_PAUSE", 0)
    for is_old, last in ((True, "THAWED"), (False, "0")):
        monkeypatch.setattr(freezer, "_group", lambda *_, is_old=is_old: (str(tmp_path), is_old))
        assert not freezer.freeze(1, ID)
        assert written[-1] == last
