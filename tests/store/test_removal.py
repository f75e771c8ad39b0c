"""Removal: what it costs beside many that share."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.store.memory import Memory, brought, layer

from millefeuille.store import removal
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction


def _steps(tx: Transaction) -> list[int]:
    """A list that gets an item for every few steps that SQLite takes from here on."""
    taken: list[int] = []
    connection = tx.execute.__self__  # type: ignore[attr-defined]
    connection.set_progress_handler(lambda: taken.append(1), 10)
    return taken


def _work(root: Path, count: int, tops: str) -> int:
    """What the removal of one of `count` images on a common layer takes, each with an own top or the same."""
    store, memory = Store(str(root)), Memory()
    for number in range(count):
        top = layer(number + 2 if tops == "own" else 2)
        memory.add(f"{number}", [layer(1), top], Labels={"n": f"{number}"})
        image = brought(store, memory, f"app:{number}").image
    with store.writing() as tx:
        steps = _steps(tx)
        removal.remove_image(tx, image)
        return len(steps)


@pytest.mark.parametrize("tops", ["own", "the same"])
def test_a_removal_takes_as_long_beside_many_that_share(tops: str, tmp_path: Path) -> None:
    few, many = (_work(tmp_path / str(count), count, tops) for count in (5, 60))
    assert many < 1.3 * few, (few, many)
