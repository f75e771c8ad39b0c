"""A host to run steps on, and the busybox of the runtime's tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.build.running.steps import Steps
from tests.runtime.conftest import busybox_chain

from millefeuille.build.running.host import RunHost
from millefeuille.runtime.invocation import RuntimeMissing
from millefeuille.runtime.probe import find
from millefeuille.snapshots.chain import Chain
from millefeuille.snapshots.erofs.driver import ErofsSnapshotter

__all__ = ["busybox_chain"]


@pytest.fixture
def steps(tmp_path: Path, busybox_chain: Chain) -> Iterator[Steps]:
    """A host of this test's own, on which nothing may be left in the end."""
    if os.geteuid() != 0:
        pytest.skip("running containers needs root")
    try:
        runtime = find(str(tmp_path / "runtime"))
    except RuntimeMissing as missing:
        pytest.skip(str(missing))
    host = RunHost(
        snapshots=ErofsSnapshotter(str(tmp_path / "snapshots"), lambda _: busybox_chain),
        runtime=runtime,
        directory=str(tmp_path / "run/bundles"),
        work=str(tmp_path / "work"),
    )
    made = Steps(host, busybox_chain.id)
    yield made
    made.check()
