"""Containers whose monitor is killed, seen by those who are attached to them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

pytestmark = pytest.mark.walk

LOST = "Error: container one was killed: its monitor is gone\n"
MADE = ("--network", "none", "--name", "one", "busybox", "sh", "-c", "while :; do echo up; sleep 0.2; done")


def _attached(box: Home, *words: str) -> subprocess.Popen[str]:
    """A command that shows what the container says, which has begun to."""
    command = [sys.executable, "-I", "-m", "millefeuille", "--root", str(box.store), *words]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def _kill_monitor(box: Home) -> None:
    inner = box.mille("inspect", "-f", "{{.State.Pid}}", "one")[0].strip()
    os.kill(int(Path(f"/proc/{inner}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)


@pytest.mark.parametrize("flags", [(), ("--rm",)])
def test_run(box: Home, flags: tuple[str, ...]) -> None:
    with _attached(box, "run", *flags, *MADE) as process:
        _kill_monitor(box)
        assert (process.communicate()[1], process.returncode) == (LOST, 137)
    if flags:
        assert os.listdir(box.store / "containers") == []
    else:
        assert box.mille("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "one")[0] == "exited 137\n"


def test_start_and_attach(box: Home) -> None:
    assert box.mille("create", *MADE)[2] == 0
    with contextlib.ExitStack() as stack:
        commands = (("start", "-a", "one"), ("attach", "one"), ("start", "-a", "one"))
        processes = [stack.enter_context(_attached(box, *words)) for words in commands]
        _kill_monitor(box)
        for process in processes:
            assert (process.communicate()[1], process.returncode) == (LOST, 137)


def test_wait_for_one_that_is_to_be_removed(box: Home) -> None:
    assert box.mille("run", "-d", "--rm", *MADE)[2] == 0
    command = [sys.executable, "-I", "-m", "millefeuille", "--root", str(box.store), "wait", "one"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while not _is_connected(process.pid):
            time.sleep(0.01)
        _kill_monitor(box)
        assert (process.communicate()[0], process.returncode) == ("137\n", 0)
    assert os.listdir(box.store / "containers") == []


def _is_connected(pid: int) -> bool:
    """Whether a process has a socket open."""
    with contextlib.suppress(OSError):
        return any(os.readlink(path).startswith("socket:") for path in Path(f"/proc/{pid}/fd").iterdir())
    return False
