"""Which volumes the filters of `volume ls` and `volume prune` let pass.

Source: moby v28.2.2, volume/service.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from millefeuille.annotations import Final
from millefeuille.docker.filters import Filters
from millefeuille.docker.matching import matches
from millefeuille.volumes.volume import DRIVER, Volume

LISTED: Final = frozenset({"dangling", "driver", "label", "name"})
PRUNED: Final = frozenset({"all", "label", "label!"})


def listed(volumes: Iterable[Volume], filters: Filters, used: Collection[str]) -> Iterator[Volume]:
    """The volumes that `volume ls` shows; `used` are the names of those that a container has.

    Raises InvalidFilter.
    """
    filters.check(LISTED)
    dangling = filters.boolean("dangling", False) if "dangling" in filters else None
    for volume in volumes:
        if dangling is not None and dangling == (volume.name in used):
            continue
        if filters.get("driver") and DRIVER not in filters.get("driver"):
            continue
        if matches(filters.get("name"), volume.name) and filters.accepts_labels(volume.labels or {}):
            yield volume


def prunable(filters: Filters) -> tuple[Callable[[Volume], bool], bool]:
    """What `volume prune` may take, and whether named volumes too. Raises InvalidFilter."""
    filters.check(PRUNED)
    return lambda volume: filters.accepts_labels(volume.labels or {}), filters.boolean("all", False)
