"""The mounted layers of an image go with the last container of it, even if that ends by itself."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

pytestmark = pytest.mark.walk


def _chains(box: Home) -> list[str]:
    own = f"/{hashlib.sha256(os.fsencode(str(box.store))).hexdigest()[:12]}/chains/"
    return [line for line in Path("/proc/mounts").read_text().splitlines() if own in line]


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _ended(box: Home, network: str) -> None:
    """Have run a container to its end, which nobody waits for."""
    id = box.mille("run", "-d", "--network", network, "busybox", "sleep", "1")[0].strip()
    if not _chains(box):
        pytest.skip("chains are not mounted by this driver")
    state = box.store / "containers" / id / "state.json"
    _until(lambda: json.loads(state.read_text())["Status"] == "exited")


def test_a_container_on_a_network_cleans_up(box: Home) -> None:
    _ended(box, "bridge")
    _until(lambda: not _chains(box))


def test_a_list_of_containers_does_so_for_one_without(box: Home) -> None:
    _ended(box, "none")
    lock = next((box.store / "containers").iterdir()) / "lock"
    _until(lambda: str(lock) not in _open_files())
    assert _chains(box) != []
    kept = box.mille("run", "-d", "--network", "none", "busybox", "sleep", "100")[0].strip()
    assert kept[:12] in box.mille("ps", "-q")[0]
    assert len(_chains(box)) == 1  # which is used
    box.mille("kill", kept)
    _ended(box, "none")
    assert box.mille("ps", "-q") == ("", "", 0)
    assert _chains(box) == []


def _open_files() -> set[str]:
    found = set()
    for path in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            found.add(os.readlink(path))
        except OSError:  # closed meanwhile
            continue
    return found
