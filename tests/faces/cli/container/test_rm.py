"""`mille rm` with real containers."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

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


def test_a_container_whose_monitor_is_halted(box: Home) -> None:
    id = box.mille("run", "-d", "--network", "none", "busybox", "sleep", "100")[0].strip()
    [monitor] = _holders(box.store / "containers" / id / "lock")
    os.kill(monitor, signal.SIGSTOP)
    began = time.monotonic()
    assert box.mille("rm", "-f", id) == (f"{id}\n", "", 0)
    assert time.monotonic() - began < 30
    assert box.mille("ps", "-aq")[0] == ""
