"""The containers that keep an image: asked within the transaction that removes."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.containers import records
from millefeuille.containers.place import Place
from millefeuille.oci.digest import Digest
from millefeuille.store import containers
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerUser:
    """A container made from an image, running or stopped."""

    id: str
    running: bool


def users_of(tx: Transaction, place: Place, image: Digest) -> Sequence[ContainerUser]:
    """The containers made from `image`, the oldest first."""
    rows = [*containers.rows(tx, "image = ?", (str(image),))]
    return tuple(
        ContainerUser(id=row.id, running=records.state(place, row.id).running) for row in reversed(rows)
    )
