"""Builds that are stopped, by a signal or a stage that fails: commands end at once, and the cause is told."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.household import MILLE
from tests.faults.yard import BASE, Yard

pytestmark = pytest.mark.walk

LONG = f"sleep {2_000_000 + os.getpid()}"  # as nobody else's sleep is
SOON = 10  # seconds


@pytest.fixture(autouse=True)
def _nothing_runs_on(yard: Yard) -> Iterator[None]:
    yield
    assert not running()


def running() -> list[str]:
    """The processes that are still at the long command."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if LONG.replace(" ", "\0") in path.read_text():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def building(yard: Yard, text: str, *before: str) -> subprocess.Popen[str]:
    (yard.directory / "Dockerfile").write_text(text)
    return subprocess.Popen(
        [*before, MILLE, "--root", yard.root, "build", "--no-cache", "--progress", "plain", "-f",
         str(yard.directory / "Dockerfile"), str(yard.context)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> str:
    """What a build said that ends soon."""
    try:
        return process.communicate(timeout=SOON)[1]
    finally:
        process.kill()
        process.wait()


def test_a_stage_that_fails_ends_a_command_that_just_begins(yard: Yard) -> None:
    text = f"FROM {BASE} AS s\nRUN {LONG}\nFROM {BASE}\nCOPY nosuch /\nCOPY --from=s /etc /e\n"
    process = building(yard, text)
    assert 'Error: "/nosuch": not found' in ended(process)
    assert process.returncode == 1


def test_the_failure_is_told_and_not_what_it_stopped(yard: Yard) -> None:
    text = (
        f"FROM {BASE} AS s\nRUN {LONG}\nFROM {BASE} AS t\nRUN sleep 0.25; exit 3\n"
        "FROM scratch\nCOPY --from=s /etc /\nCOPY --from=t /etc /t\n"
    )
    process = building(yard, text)
    told = ended(process)
    assert process.returncode == 3
    assert told.count("ERROR: ") == 1 and told.count(" CANCELED\n") == 2, told
    error = 'Error: process "/bin/sh -c sleep 0.25; exit 3" did not complete successfully: exit code: 3\n'
    assert error in told
    assert ">>> RUN sleep 0.25; exit 3" in told and "mille build debug" in told


@pytest.mark.parametrize("stages", ["one", "several"])
def test_an_interrupt_ends_a_command_at_any_time(yard: Yard, stages: str) -> None:
    text = f"FROM {BASE} AS s\nRUN {LONG}\n"
    if stages == "several":  # an equal command begins when the first is over
        text += f"FROM {BASE}\nRUN {LONG}\nCOPY --from=s /etc /e\n"
    for delay in (0.1, 0.15, 0.2, 0.25, 0.3, 0.5):
        process = building(yard, text)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        ended(process)
        assert process.returncode in (130, -signal.SIGINT), delay
        assert not running(), delay


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM])
@pytest.mark.parametrize("stages", ["one", "several"])
def test_a_signal_that_ends_a_build_ends_its_command(yard: Yard, number: signal.Signals, stages: str) -> None:
    more = f"FROM {BASE}\nCOPY --from=s /etc /e\n" if stages == "several" else ""
    process = building(yard, f"FROM {BASE} AS s\nRUN {LONG}\n{more}")
    begun()
    process.send_signal(number)
    time.sleep(0.02)
    process.send_signal(number)  # what ends a session may say it twice
    told = ended(process)
    assert process.returncode == 128 + number
    assert "Error" not in told and "Traceback" not in told
    assert not running()


def test_a_build_goes_on_where_hangups_are_ignored(yard: Yard) -> None:
    process = building(yard, f"FROM {BASE}\nRUN sleep 0.5; echo {LONG}\n", "nohup")
    time.sleep(0.3)
    process.send_signal(signal.SIGHUP)
    assert LONG in ended(process)
    assert process.returncode == 0


def begun() -> None:
    """Wait for the long command."""
    deadline = time.monotonic() + SOON
    while not running():
        assert time.monotonic() < deadline
        time.sleep(0.02)
