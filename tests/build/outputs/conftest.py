from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from millefeuille.store import leases
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    store = Store(str(tmp_path / "store"))
    store.create()
    return store


@pytest.fixture
def lease(store: Store) -> Iterator[Lease]:
    """A build's lease on the store."""
    with leases.lease(store.disk, "build") as held:
        yield held
