"""Prune: every container that does not run, removed."""

from __future__ import annotations

from collections.abc import Callable

from millefeuille.containers import records, removal
from millefeuille.containers.host import Host
from millefeuille.containers.record import Container
from millefeuille.errors import NotFound
from millefeuille.store import journal
from millefeuille.store.containers import NoSuchContainer
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True)
class Pruned:
    """The IDs of the containers that went, and the bytes they had written."""

    ids: tuple[str, ...] = ()
    reclaimed: int = 0


def prune(host: Host, accepts: Callable[[Container], bool]) -> Pruned:
    """Remove the stopped containers that `accepts` takes; volumes stay. Raises OSError."""
    ids: list[str] = []
    reclaimed = 0
    for container in records.every(host.store, host.place):
        if records.state(host.place, container.id).running or not accepts(container):
            continue
        written = _written(host, container.id)
        try:
            removal.remove(host, container)
        except (removal.ContainerRunning, NoSuchContainer):
            continue  # started, or removed, meanwhile
        ids.append(container.id)
        reclaimed += written
    journal.note_prune(host.store.disk.journal, "container", reclaimed)
    return Pruned(tuple(ids), reclaimed)


def _written(host: Host, id: str) -> int:
    try:
        return host.snapshots.usage(id).content
    except NotFound:
        return 0
