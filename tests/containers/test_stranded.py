from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from millefeuille.containers import records, stranded
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.containers.state import State

ID = "ab" * 32
# As a monitor: it has the lock open, and a child.
MONITOR = (
    "import subprocess, sys\nlock = open(sys.argv[1])\n"
    "child = subprocess.Popen(['sleep', '60'])\nprint(child.pid, flush=True)\nchild.wait()\ninput()"
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(str(tmp_path / "store"), str(tmp_path / "run"))
    os.makedirs(made.directory(ID))
    Path(made.lock(ID)).touch()
    return made


@pytest.fixture
def monitor(place: Place) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-c", MONITOR, place.lock(ID), "millefeuille.containers.monitor", f"/{ID}/"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def container() -> Container:
    none: Any = {}
    return Container(
        id=ID, name="it", created="", image="", chain=None, layers=(), path="", args=(), platform="",
        config=none, host_config=none,
    )  # fmt: skip


def child_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def record(place: Place, status: str, pid: int) -> None:
    records.save_state(place, ID, State(status=status, pid=pid))


def test_both_are_ended(place: Place, monitor: subprocess.Popen[str]) -> None:
    record(place, "running", child_of(monitor))
    with stranded.found(place, container()) as found:
        assert found is not None
        assert not found.await_end(0)
        found.end()
        assert found.await_end(0)
    assert monitor.wait() == -signal.SIGKILL


def test_a_signal_is_for_the_process(place: Place, monitor: subprocess.Popen[str]) -> None:
    record(place, "running", child_of(monitor))
    with stranded.found(place, container()) as found:
        assert found is not None
        found.send(signal.SIGTERM)
        assert found.await_end(10)
        assert monitor.poll() is None


def test_between_two_starts_there_is_a_monitor_only(place: Place, monitor: subprocess.Popen[str]) -> None:
    child = child_of(monitor)
    record(place, "restarting", 0)
    with stranded.found(place, container()) as found:
        assert found is not None
        assert (found.process, found.await_end(0)) == (-1, True)
        found.end()
    assert monitor.wait() == -signal.SIGKILL
    os.kill(child, signal.SIGKILL)  # of which nothing was known


def test_others_are_let_alone(place: Place, monitor: subprocess.Popen[str]) -> None:
    child = child_of(monitor)
    for status, pid in (("exited", child), ("running", os.getpid())):
        record(place, status, pid)
        with stranded.found(place, container()) as found:
            assert found is None
    record(place, "running", child)
    os.rename(place.lock(ID), f"{place.lock(ID)}.other")
    Path(place.lock(ID)).touch()
    with stranded.found(place, container()) as found:
        assert found is None  # its parent has not the lock
    os.replace(f"{place.lock(ID)}.other", place.lock(ID))
    os.makedirs(place.bundle(ID))
    with stranded.found(place, container()) as found:
        assert found is None  # it can be reached
    os.kill(child, signal.SIGKILL)
