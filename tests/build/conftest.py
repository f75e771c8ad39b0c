"""A store for builds."""

from __future__ import annotations

from pathlib import Path

import pytest

from millefeuille.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    made = Store(str(tmp_path / "store"))
    made.create()
    return made
