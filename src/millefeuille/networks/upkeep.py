"""Upkeep: bring what is shared by all containers in line with their leases.

Rules of the packet filter, bridges that nobody is on, and the names that containers know each other by: each
follows from the leases alone, so doing it once more puts right what a killed process left.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from contextlib import nullcontext, suppress

from millefeuille import files
from millefeuille.beside import beside
from millefeuille.networks import admission, bridges, ends, hostfiles, links, rules
from millefeuille.networks.lease import Endpoint, Lease
from millefeuille.networks.netlink import Netlink
from millefeuille.networks.network import Network
from millefeuille.networks.rules import Published
from millefeuille.values import replace


def settle(
    host: Netlink,
    lock: int,
    networks: Iterable[Network],
    leases: Sequence[Lease],
    gone: Sequence[Endpoint],
    *,
    leaves: bool,
    store: str,
    table: str,
    told: str,
) -> None:
    """Make it so that exactly these leases hold, and no longer the ends `gone`, whose networks may be unknown
    by now: their cables go, and the bridges that nobody is on. `store` tells whose bridges are the store's,
    `table` is its own in the packet filter, `told` the file with what that was told last. `lock` is the held
    lock of the host's networks. `leaves`: a container gives back what it had.

    Raises FilterMissing, FilterFailed, OSError.
    """
    used = {end.network_id: end.bridge for lease in leases for end in lease.endpoints if end.cable}
    networks = [network for network in networks if network.driver == "bridge"]
    bridged = [replace(network, bridge=used.get(network.id, "")) for network in networks]
    over = _idle_bridges(host, [one for one in bridged if one.id not in used], gone, used, store)
    over += [end.cable for end in gone if end.cable]
    with beside(lambda: links.remove(host, *over)) if over else nullcontext():
        _tell(lock, table, told, [network for network in bridged if network.id in used], leases)
    for lease in leases:
        if lease.hosts:
            # Who leaves does so also where the others cannot be told, on a disk that is read-only by now:
            # their names come right with the next change.
            with suppress(OSError) if leaves else nullcontext():
                hostfiles.update_peers(lease.hosts, ends.peers(lease, leases))


def _idle_bridges(
    host: Netlink, unused: Sequence[Network], gone: Sequence[Endpoint], used: Container[str], store: str
) -> list[str]:
    """The interfaces of networks that nobody is on any more."""
    idle = {(network.interface, network.id, store) for network in unused}
    # A bridge that a lease names is ours, also one that an earlier version made.
    ends = [end for end in gone if end.bridge and end.network_id not in used]
    idle |= {(end.bridge, end.network_id, whose) for end in ends for whose in (store, "")}
    return [name for name, id, whose in sorted(idle) if bridges.is_of(host, name, id, whose)]


def _tell(
    lock: int, table: str, told: str, networks: Sequence[Network], leases: Iterable[Lease]
) -> None:
    published = [
        Published(port=port, ip=end.ip)
        for lease in leases
        if (end := ends.gateway_end(lease)) is not None
        for port in lease.ports
    ]
    wanted = rules.text(table, networks, published)
    try:
        with open(told) as file:
            same = file.read() == wanted != ""
    except FileNotFoundError:
        same = not wanted
    if same and (not wanted or rules.exists(table)):
        return
    # Whoever finds the file empty knows that the rules may be any.
    files.replace_file(told, b"", lasting=False)
    names = [network.interface for network in networks]
    with beside(lambda: admission.admit(names, f"{told}.admitted", lock)):
        rules.apply(table, wanted, lock)
    if wanted:
        files.replace_file(told, wanted.encode(), lasting=False)
    else:
        files.unlink(told)
