from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults import counts
from tests.faults.yard import Yard

from millefeuille.store import disk
from millefeuille.testing.images import MadeImage


@pytest.fixture(autouse=True)
def _small_ballast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stores of these tests are copied hundreds of times."""
    monkeypatch.setattr(disk, "BALLAST", 64 << 10)


@pytest.fixture
def yard(tmp_path: Path, busybox: MadeImage) -> Iterator[Yard]:
    """Nothing may be left in the end, and nothing be damaged."""
    if os.geteuid() != 0:
        pytest.skip("running containers needs root")
    made = Yard(tmp_path, busybox)
    yield made
    assert made.remnants() == []
    assert made.done("system", "check", "--data")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """What a worker of a parallel run has counted."""
    counts.said.extend(getattr(node, "workeroutput", {}).get("counts", ()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["counts"] = [str(line) for line in counts.said]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in counts.said:
        terminalreporter.write_line(line)
