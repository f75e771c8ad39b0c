from __future__ import annotations

import pytest

from millefeuille.store import disk


@pytest.fixture(autouse=True)
def _small_ballast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stores of these tests are copied hundreds of times."""
    monkeypatch.setattr(disk, "BALLAST", 64 << 10)
