"""`mille rm` with real containers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

from millefeuille.containers.connection import Unanswering, connected
from millefeuille.engine.place import place
from millefeuille.settings import settle

pytestmark = pytest.mark.walk


def _holders(path: Path) -> list[int]:
    """The processes that have a file open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(descriptor.samefile(path) for descriptor in (process / "fd").iterdir()):
                found.append(int(process.name))
        except OSError:  # gone, or what it has open is
            continue
    return found


def _runs(process: int) -> bool:
    """Whether a process is there, and not just its exit code."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes() != b""
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(
    ("words", "clients"),
    # 18 are more than there is room for in the queue.
    [(("rm", "-f"), 0), (("kill",), 0), (("stop", "-t", "1"), 18), (("rm", "-f"), 18)],
)
def test_a_container_whose_monitor_is_halted(box: Home, words: tuple[str, ...], clients: int) -> None:
    id = box.mille("run", "-d", "--network", "none", "busybox", "sleep", "100")[0].strip()
    [monitor] = _holders(box.store / "containers" / id / "lock")
    [state] = json.loads(box.mille("inspect", "-f", "[{{json .State}}]", id)[0])
    os.kill(monitor, signal.SIGSTOP)
    with contextlib.ExitStack() as waiting:
        where = place(settle({}, uid=os.getuid(), home=str(box.directory), root=str(box.store)))
        for _ in range(clients):
            with contextlib.suppress(Unanswering):
                waiting.enter_context(connected(where, id, patience=1))
        began = time.monotonic()
        assert box.mille(*words, id) == (f"{id}\n", "", 0)
        assert time.monotonic() - began < 30
    assert not _runs(state["Pid"])
    assert box.mille("ps", "-q")[0] == ""
    if words[0] != "rm":
        told = box.mille("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", id)[0]
        assert told == "exited 137\n"
        assert box.mille("rm", id)[2] == 0
    assert box.mille("ps", "-aq")[0] == ""
