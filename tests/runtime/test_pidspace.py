"""Processes by their PID namespace, on a real kernel."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from millefeuille.runtime.pidspace import SharedSpace, processes

PATIENCE = 10.0  # seconds until a process is there


@contextmanager
def running(*words: str) -> Iterator[int]:
    """A process, killed at the end, and all in the namespace that it made with it."""
    with subprocess.Popen(words) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def awaited(*parents: int, count: int = 1) -> list[int]:
    """The children of these processes, when they have so many together."""
    deadline = time.monotonic() + PATIENCE
    while len(found := [child for parent in parents for child in children(parent)]) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


@pytest.fixture
def spaces() -> None:
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "nsenter"))):
        pytest.skip("needs root, unshare and nsenter")


def test_all_in_it_wherever_they_come_from(spaces: None) -> None:
    nested = "unshare -fp --kill-child sh -c 'sleep 100 & wait' & sleep 100 & wait"
    with running("unshare", "-fp", "--kill-child", "sh", "-c", nested) as outer:
        [first] = awaited(outer)
        inner = awaited(first, count=2)
        [lower] = awaited(*inner)
        below = [lower, *awaited(lower)]
        with running("nsenter", "-t", str(first), "-p", "sleep", "100") as entering:
            entered = awaited(entering)
            assert processes(first) == {first, *inner, *below, *entered}
            assert processes(lower) == set(below)


def test_one_that_is_shared_tells_nothing() -> None:
    with running("sleep", "100") as pid, pytest.raises(SharedSpace, match="shares its PID namespace"):
        processes(pid)


def test_processes_that_are_gone(spaces: None, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = 1 << 30  # more than there can be
    assert processes(gone) == set()
    every = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: [*every(path), str(gone)])
    with running("unshare", "-fp", "--kill-child", "sleep", "100") as outer:
        [first] = awaited(outer)
        assert processes(first) == {first}
