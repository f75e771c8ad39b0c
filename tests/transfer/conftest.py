from __future__ import annotations

from pathlib import Path

import pytest
from tests.store.memory import Memory

from millefeuille.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that does not exist yet."""
    return Store(str(tmp_path / "store"))


@pytest.fixture
def memory() -> Memory:
    """An empty source of images."""
    return Memory()
