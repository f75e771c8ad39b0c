"""Upkeep: bring what is shared by all containers in line with their leases.

Rules of the packet filter, bridges that nobody is on, and the names that containers know each other by: each
follows from the leases alone, so doing it once more puts right what a killed process left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from millefeuille import files
from millefeuille.networks import admission, bridges, ends, hostfiles, rules
from millefeuille.networks.lease import Endpoint, Lease
from millefeuille.networks.netlink import Netlink
from millefeuille.networks.network import Network
from millefeuille.networks.rules import Published


def settle(
    host: Netlink,
    networks: Iterable[Network],
    leases: Sequence[Lease],
    gone: Sequence[Endpoint],
    *,
    table: str,
    told: str,
) -> None:
    """Make it so that exactly these leases hold, and no longer the ends `gone`, whose networks may be unknown
    by now. `table` is the store's in the packet filter, `told` the file with what that was told last. For
    whoever holds the lock.

    Raises FilterMissing, FilterFailed, OSError.
    """
    used = {end.network_id for lease in leases for end in lease.endpoints if end.cable}
    bridged = [network for network in networks if network.driver == "bridge"]
    _tell(table, told, [network for network in bridged if network.id in used], leases)
    known = {(network.interface, network.id) for network in bridged}
    for interface, network_id in known | {(end.bridge, end.network_id) for end in gone if end.bridge}:
        if network_id not in used:
            bridges.take_down(host, interface, network_id)
    for lease in leases:
        if lease.hosts:
            hostfiles.update_peers(lease.hosts, ends.peers(lease, leases))


def _tell(table: str, told: str, networks: Sequence[Network], leases: Iterable[Lease]) -> None:
    published = [
        Published(port=port, ip=end.ip)
        for lease in leases
        if (end := ends.gateway_end(lease)) is not None
        for port in lease.ports
    ]
    wanted = rules.text(table, networks, published)
    try:
        with open(told) as file:
            same = file.read() == wanted
    except FileNotFoundError:
        same = not networks
    if not same or (networks and not rules.exists(table)):
        # Whoever finds the file empty knows that the rules may be any.
        files.replace_file(told, b"")
        rules.apply(wanted)
        admission.admit((network.interface for network in networks), f"{told}.admitted")
        files.replace_file(told, wanted.encode())
