"""Which containers the filters of `ps` and `container prune` let pass.

Source: moby v28.2.2, daemon/list.go and daemon/prune.go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.containers.record import NEVER, Container
from millefeuille.docker import rfc3339
from millefeuille.docker.creation.ports import port_range, split_protocol
from millefeuille.docker.filters import Filters, InvalidFilter
from millefeuille.docker.matching import matches
from millefeuille.docker.shapes.container_ports import port_list
from millefeuille.docker.shapes.container_status import health_status
from millefeuille.docker.shapes.container_summary import Listed
from millefeuille.errors import MilleError
from millefeuille.later import re
from millefeuille.oci.gotext import quoted
from millefeuille.values import dataclass

LISTED: Final = frozenset((
    "ancestor", "before", "exited", "expose", "health", "id", "is-task", "isolation", "label", "name",
    "network", "publish", "since", "status", "volume",
))  # fmt: skip
PRUNED: Final = frozenset(("label", "label!", "until"))
_STATES: Final = ("created", "running", "paused", "restarting", "removing", "exited", "dead")
_HEALTHS: Final = ("none", "starting", "healthy", "unhealthy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What `ps` is to show, checked. `ancestors` are IDs of images, None where they do not matter; `before`
    and `since` are the IDs of containers.
    """

    filters: Filters
    all: bool
    limit: int
    exited: frozenset[int]
    published: frozenset[str]
    exposed: frozenset[str]
    ancestors: Collection[str] | None
    before: str
    since: str


def selection(
    filters: Filters,
    *,
    all: bool = False,
    limit: int = 0,
    find: Callable[[str], Container],
    images: Callable[[str], Iterable[str]],
) -> Selection:
    """Read the filters of `ps`. `find` gives the container that one names; `images` the IDs of an image and
    of those made from it, none for an unknown one. Raises InvalidFilter, NoSuchContainer.
    """
    filters.check(LISTED)
    for name, what, known in (("status", "state", _STATES), ("health", "health", _HEALTHS)):
        for value in filters.get(name):
            if value not in known:
                said = f"invalid value for {what} ({value}): must be one of {', '.join(known)}"
                raise InvalidFilter(f"invalid filter '{name}={value}': {said}")
    filters.boolean("is-task", False)
    ancestors = {id for value in filters.get("ancestor") for id in images(value)}
    return Selection(
        filters=filters,
        all=all or "status" in filters,
        limit=limit,
        exited=frozenset(_code(value) for value in filters.get("exited")),
        published=_ports(filters, "publish"),
        exposed=_ports(filters, "expose"),
        ancestors=ancestors if "ancestor" in filters else None,
        before=_last(filters, "before", find),
        since=_last(filters, "since", find),
    )


def listed(found: Sequence[Listed], chosen: Selection) -> list[Listed]:
    """Those of `found`, the newest first, that `ps` shows."""
    ids = [one.container.id for one in found]
    start = ids.index(chosen.before) + 1 if chosen.before in ids else 0
    end = ids.index(chosen.since) if chosen.since in ids else len(ids)
    wanted = chosen.filters.get("id")
    meant = {_meant(prefix, ids) for prefix in wanted} if wanted else {*ids}
    shown = [one for one in found[start:end] if one.container.id in meant and _passes(one, chosen)]
    return shown[: chosen.limit] if chosen.limit > 0 else shown


def prunable(filters: Filters, now: int) -> Callable[[Container], bool]:
    """What `container prune` may take of containers that do not run. Raises InvalidFilter, InvalidTime."""
    filters.check(PRUNED)
    until = filters.until(now)
    by_label = "label" in filters or "label!" in filters

    def accepts(container: Container) -> bool:
        created = rfc3339.nanoseconds(container.created) or 0
        if by_label and container.damage:
            return False  # nobody knows which it has
        labels = container.config.get("Labels") or {}
        return (until is None or created < until) and filters.accepts_labels(labels)

    return accepts


def _passes(one: Listed, chosen: Selection) -> bool:
    container, state, filters = one.container, one.state, chosen.filters
    if not (state.running or chosen.all or chosen.limit > 0):
        return False
    if filters.boolean("is-task", False) or not filters.accepts_labels(container.config.get("Labels") or {}):
        return False
    names = (container.name, f"/{container.name}")
    if not any(matches(filters.get("name"), name) for name in names):
        return False
    if chosen.exited and (state.running or state.started == NEVER or state.exit_code not in chosen.exited):
        return False
    exact = (
        ("status", {state.status}), ("health", {health_status(state)}),
        ("volume", _volumes(container)),
    )  # fmt: skip
    if not all(not filters.get(name) or values & {*filters.get(name)} for name, values in exact):
        return False
    if chosen.ancestors is not None and str(container.image) not in chosen.ancestors:
        return False
    return _on_network(one, filters.get("network")) and _has_port(one, chosen)


def _meant(prefix: str, ids: Sequence[str]) -> str:
    """The ID that begins so; "" where none or several do."""
    found = [id for id in ids if id.startswith(prefix)]
    return found[0] if len(found) == 1 else ""


def _volumes(container: Container) -> set[str]:
    return {name for mount in container.mounts for name in (mount.name or mount.source, mount.target)}


def _on_network(one: Listed, wanted: Sequence[str]) -> bool:
    networks: dict[str, Any] = one.network.get("Networks") or {}
    ids = {name: str((settings or {}).get("NetworkID") or "") for name, settings in networks.items()}
    return not wanted or any(
        value == name or (value and id.startswith(value)) for value in wanted for name, id in ids.items()
    )


def _has_port(one: Listed, chosen: Selection) -> bool:
    """Whether it has one of the ports by now: a published one is the host's, an exposed one its own."""
    if not chosen.published and not chosen.exposed:
        return True
    return any(
        f"{port.get('PublicPort', 0)}/{port['Type']}" in chosen.published
        or f"{port['PrivatePort']}/{port['Type']}" in chosen.exposed
        for port in port_list(one.network.get("Ports") or {})
    )


def _code(value: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", value, re.ASCII):
        raise InvalidFilter(
            f"invalid filter 'exited={value}': strconv.Atoi: parsing {quoted(value)}: invalid syntax"
        )
    return int(value)


def _ports(filters: Filters, name: str) -> frozenset[str]:
    found: set[str] = set()
    for value in filters.get(name):
        if ":" in value:
            raise InvalidFilter(f"filter for '{name}' should not contain ':': {value}")
        protocol, port = split_protocol(value)
        try:
            start, end = port_range(port)
        except MilleError as error:
            raise InvalidFilter(f"error while looking up for {name} {value}: {error}") from error
        found |= {f"{number}/{protocol}" for number in range(start, end + 1)}
    return frozenset(found)


def _last(filters: Filters, name: str, find: Callable[[str], Container]) -> str:
    """The ID of the container that the filter names; of several the last counts, and each must be there."""
    found = [find(value).id for value in filters.get(name)]
    return found[-1] if found else ""
