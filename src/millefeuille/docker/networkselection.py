"""Which networks the filters of `network ls` and `network prune` let pass.

Source: moby v28.2.2, daemon/network/filter.go and daemon/network.go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from millefeuille.annotations import Final
from millefeuille.docker import rfc3339
from millefeuille.docker.filters import Filters, InvalidFilter
from millefeuille.docker.matching import matches
from millefeuille.networks.network import Network

LISTED: Final = frozenset({"dangling", "driver", "id", "label", "name", "scope", "type"})
PRUNED: Final = frozenset({"label", "label!", "until"})


def listed(networks: Iterable[Network], filters: Filters, used: Collection[str]) -> Iterator[Network]:
    """The networks that `network ls` shows; `used` are the IDs of those that somebody is on.

    Raises InvalidFilter.
    """
    filters.check(LISTED)
    kinds = filters.get("type")
    for kind in kinds:
        if kind not in ("builtin", "custom"):
            raise InvalidFilter(f"invalid filter: 'type'='{kind}'")
    dangling = _dangling(filters)
    for network in networks:
        if kinds and ("builtin" if network.predefined else "custom") not in kinds:
            continue
        if dangling is not None and dangling != (not network.predefined and network.id not in used):
            continue
        if _passes(network, filters):
            yield network


def prunable(filters: Filters, now: int) -> Callable[[Network], bool]:
    """What `network prune` may take. Raises InvalidFilter, InvalidTime."""
    filters.check(PRUNED)
    until = filters.until(now)

    def accepts(network: Network) -> bool:
        created = rfc3339.nanoseconds(network.created) or 0
        return (until is None or created < until) and filters.accepts_labels(network.labels)

    return accepts


def _passes(network: Network, filters: Filters) -> bool:
    exact = (("driver", network.driver), ("scope", "local"))
    if not all(not filters.get(name) or value in filters.get(name) for name, value in exact):
        return False
    loose = (("name", network.name), ("id", network.id))
    if not all(matches(filters.get(name), value) for name, value in loose):
        return False
    return filters.accepts_labels(network.labels)


def _dangling(filters: Filters) -> bool | None:
    try:
        return filters.boolean("dangling", False) if "dangling" in filters else None
    except InvalidFilter as error:
        raise InvalidFilter(
            'invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")'
        ) from error
