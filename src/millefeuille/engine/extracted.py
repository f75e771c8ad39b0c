"""The engine's look at what the overlay driver has extracted, for whoever checks the store."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.oci.digest import Digest
from millefeuille.snapshots.overlay import intact
from millefeuille.snapshots.overlay.marks import marks
from millefeuille.store.check import Extractions
from millefeuille.store.store import Store


def extractions(store: Store) -> Extractions:
    """What is wrong with it. An ordinary user's process has to be in its user namespace (`removing`)."""

    def look(data: bool) -> Mapping[Digest, str]:
        return intact.damaged(store, marks=marks(), data=data)

    return look
