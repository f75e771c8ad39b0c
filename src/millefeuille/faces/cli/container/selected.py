"""The containers that the filters of `mille ps` leave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from millefeuille.containers import records
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.docker import containerselection
from millefeuille.docker.containerrecords import descendants
from millefeuille.docker.filters import Filters
from millefeuille.docker.shapes.container_summary import Listed
from millefeuille.store.containers import NoSuchContainer
from millefeuille.store.store import Store


def selected(
    store: Store | None, place: Place, found: Sequence[Listed], filters: Filters, *, all: bool, limit: int
) -> list[Listed]:
    """Those of `found` that `filters` let pass. Raises InvalidFilter, NoSuchContainer."""

    def find(text: str) -> Container:
        if store is None:
            raise NoSuchContainer(f"No such container: {text}")
        return records.known(store, place, text)

    def images(text: str) -> Iterable[str]:
        if store is None:
            return ()
        with store.reading() as tx:
            return descendants(tx, text)

    chosen = containerselection.selection(filters, all=all, limit=limit, find=find, images=images)
    return containerselection.listed(found, chosen)
