"""Who shares what, and what all of it takes: sums done by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.store.memory import Memory, brought, layer

from millefeuille.images.sharing import sharing
from millefeuille.images.usage import usage
from millefeuille.images.users import Nobody, User
from millefeuille.oci.digest import Digest
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction


class Everyone:
    """Every image has two containers."""

    def users(self, tx: Transaction, image: Digest) -> Sequence[User]:
        return [User(id=str(number) * 64, running=False) for number in (1, 2)]


@pytest.fixture
def three(store: Store, memory: Memory) -> Store:
    """Layer n holds 2000 + n bytes: app:1 is 1 and 2, app:2 is 1 and 3, app:3 is 4."""
    for tag, numbers in (("1", (1, 2)), ("2", (1, 3)), ("3", (4,))):
        memory.add(tag, [layer(number) for number in numbers])
        brought(store, memory, f"app:{tag}")
    return store


def test_sharing(three: Store) -> None:
    with three.reading() as tx:
        found = sharing(tx)
    rows = {row.row.tag: (row.layers, row.shared, row.unique) for row in found.images}
    assert rows == {"1": (2, 2001, 2002), "2": (2, 2001, 2003), "3": (1, 0, 2004)}
    users = [(row.layer.content_size, sorted(row.users)) for row in found.layers]
    assert users == [(2001, ["app:1", "app:2"]), (2004, ["app:3"]), (2003, ["app:2"]), (2002, ["app:1"])]


def test_usage(three: Store) -> None:
    with three.reading() as tx:
        found = usage(tx, Everyone())
        nobody = usage(tx, Nobody())
    rows = {row.image.tags[0][-1]: (row.image.size, row.shared, row.containers) for row in found.images}
    assert rows == {"1": (4003, 2001, 2), "2": (4004, 2001, 2), "3": (2004, 0, 2)}
    assert found.layers_size == nobody.layers_size == 2001 + 2002 + 2003 + 2004
    assert {row.containers for row in nobody.images} == {0}
