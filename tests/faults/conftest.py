from __future__ import annotations

from typing import Any

import pytest
from tests.faults import counts

from millefeuille.store import disk


@pytest.fixture(autouse=True)
def _small_ballast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stores of these tests are copied hundreds of times."""
    monkeypatch.setattr(disk, "BALLAST", 64 << 10)


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
