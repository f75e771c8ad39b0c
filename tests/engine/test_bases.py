"""Base images of builds, from the store."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
from tests.store.meanwhile import pruned
from tests.store.memory import Memory, brought, layer

from millefeuille.engine.bases import StoredBases
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.store import leases
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store


def _nothing(*given: object) -> NoReturn:
    raise AssertionError("the registry is not asked for what is here")


def test_a_name_that_gets_another_image_before_it_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, memory = Store(str(tmp_path / "store")), Memory()
    memory.add("1", [layer(1)])
    brought(store, memory, "app:1")
    other = layer(2)
    real = Lease.claim

    def claim(held: Lease, items: set[Digest]) -> None:
        monkeypatch.setattr(Lease, "claim", real)
        memory.add("1", [other])
        brought(store, memory, "app:1")
        real(held, items)

    monkeypatch.setattr(Lease, "claim", claim)
    with leases.lease(store.disk, "build") as lease:
        base = StoredBases(store, lease, _nothing).resolve("app:1", Platform.host())
        assert [one.diff_id for one in base.layers] == [other.diff_id]
        with store.writing() as tx:
            tx.execute("DELETE FROM names")
        pruned(store)
        # It has been claimed too, so it stays whatever becomes of the name.
        assert all(Path(store.disk.tar(one.diff_id)).exists() for one in base.layers)
