"""Upkeep: bring what is shared by all containers in line with their leases.

Rules of the packet filter, bridges that nobody is on, and the names that containers know each other by: each
follows from the leases alone, so doing it once more puts right what a killed process left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext

from millefeuille import files
from millefeuille.beside import beside
from millefeuille.networks import admission, bridges, ends, hostfiles, links, rules
from millefeuille.networks.lease import Endpoint, Lease
from millefeuille.networks.netlink import Netlink
from millefeuille.networks.network import Network
from millefeuille.networks.rules import Published


def settle(
    host: Netlink,
    lock: int,
    networks: Iterable[Network],
    leases: Sequence[Lease],
    gone: Sequence[Endpoint],
    *,
    table: str,
    told: str,
) -> None:
    """Make it so that exactly these leases hold, and no longer the ends `gone`, whose networks may be unknown
    by now: their cables go, and the bridges that nobody is on. `table` is the store's in the packet filter,
    `told` the file with what that was told last. `lock` is the held lock of the host's networks.

    Raises FilterMissing, FilterFailed, OSError.
    """
    used = {end.network_id for lease in leases for end in lease.endpoints if end.cable}
    bridged = [network for network in networks if network.driver == "bridge"]
    idle = {(network.interface, network.id) for network in bridged}
    idle |= {(end.bridge, end.network_id) for end in gone if end.bridge}
    over = [name for name, id in sorted(idle) if id not in used and bridges.is_of(host, name, id)]
    over += [end.cable for end in gone if end.cable]
    with beside(lambda: links.remove(host, *over)) if over else nullcontext():
        _tell(lock, table, told, [network for network in bridged if network.id in used], leases)
    for lease in leases:
        if lease.hosts:
            hostfiles.update_peers(lease.hosts, ends.peers(lease, leases))


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
        with files.about(told):
            files.replace_file(told, wanted.encode(), lasting=False)
    else:
        files.unlink(told)
