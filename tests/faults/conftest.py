from __future__ import annotations

import pytest
from tests.faults import counts

from millefeuille.store import disk


@pytest.fixture(autouse=True)
def _small_ballast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stores of these tests are copied hundreds of times."""
    monkeypatch.setattr(disk, "BALLAST", 64 << 10)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in counts.said:
        terminalreporter.write_line(line)
