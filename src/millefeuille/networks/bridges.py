"""Bridges: the interface of each network that somebody is on, and where its subnet comes from.

A bridge is there as long as a container is on it. While nobody is, its addresses are nobody's.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.errors import Conflict
from millefeuille.later import ipaddress
from millefeuille.networks import links, pools
from millefeuille.networks.netlink import Netlink
from millefeuille.networks.network import Network
from millefeuille.networks.pools import PoolTaken
from millefeuille.values import replace

_FORWARD: Final = "/proc/sys/net/ipv4/ip_forward"


class InterfaceTaken(Conflict):
    """The name that a bridge is to have is that of another interface."""


def settled(host: Netlink, network: Network, others: Iterable[Network]) -> Network:
    """The network with a subnet that can be had on this host now; the same one where it can.

    `others` are the store's networks. Raises PoolTaken, NoPool, OSError.
    """
    strangers = [other for other in others if other.id != network.id]
    reserved = [other.subnet for other in strangers if other.subnet is not None]
    if any(other.predefined and other.driver == "bridge" and not other.subnet for other in strangers):
        reserved.append(pools.DEFAULT)
    if network.subnet is None:
        return _chosen(network, used(host), reserved)
    if links.index(host, network.interface) is None and pools.overlaps(network.subnet, used(host)):
        if not network.chosen:
            raise PoolTaken(
                "invalid pool request: Pool overlaps with other one on this address space",
                advice=f"Something on this host uses addresses of {network.subnet}, that of {network.name}.",
            )
        return _chosen(network, used(host), reserved)
    return network


def used(host: Netlink) -> list[ipaddress.IPv4Network]:
    """The subnets that this host's interfaces and routes have."""
    return [subnet for subnet, _ in links.subnets(host) if isinstance(subnet, ipaddress.IPv4Network)]


def raise_up(host: Netlink, network: Network) -> None:
    """Make the bridge of a settled network where it is missing; one that it has under another name is taken
    as it is. Raises InterfaceTaken, OSError.
    """
    assert network.subnet is not None and network.gateway is not None
    number = links.index(host, network.interface)
    if number is None:
        mac = hardware_address(network.id, network.store)
        links.add_bridge(host, network.interface, mac, network.mtu)
        number = links.set_up(host, network.interface)
    elif not (is_of(host, network.interface, network.id, network.store) or network.bridge):
        raise InterfaceTaken(
            f"network {network.name}: this host has an interface {network.interface} already"
        )
    address = ipaddress.IPv4Interface(f"{network.gateway}/{network.subnet.prefixlen}")
    links.add_address(host, number, address)
    # What this host sends to a published port on 127.0.0.1 leaves by the bridge.
    _set(f"/proc/sys/net/ipv4/conf/{network.interface}/route_localnet", b"1")
    if not network.internal:
        _set(_FORWARD, b"1")


def take_down(host: Netlink, network: Network) -> None:
    """Remove the bridge that was made for a network, when nobody is on it, also one that an earlier version
    made; an interface of anybody else's that has its name stays.
    """
    if is_of(host, network.interface, network.id, network.store):
        links.remove(host, network.interface)
    former = network.former_interface
    # A copy of the store may have its containers there.
    if is_of(host, former, network.id, "") and not links.has_ports(host, former):
        links.remove(host, former)


def is_of(host: Netlink, interface: str, network_id: str, store: str) -> bool:
    """Whether there is an interface of this name, and it is the bridge that was made for the network of a
    store; "" stands for an earlier version, which did not tell stores apart.
    """
    return links.hardware_address(host, interface) == hardware_address(network_id, store)


def hardware_address(network_id: str, store: str) -> str:
    """The address that the bridge of a network has, by which it is known to be ours."""
    whose = f"{store} " if store else ""
    return pools.hardware_address(f"bridge {whose}{network_id}")


def _chosen(
    network: Network, taken: list[ipaddress.IPv4Network], reserved: list[ipaddress.IPv4Network]
) -> Network:
    subnet = pools.pick(taken, reserved)
    return replace(network, subnet=subnet, gateway=pools.first(subnet), chosen=True)


def _set(path: str, value: bytes) -> None:
    with contextlib.suppress(FileNotFoundError):
        with open(path, "rb") as file:
            if file.read().strip() == value:
                return
        files.act("sysctl", path)
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, value)
        finally:
            os.close(descriptor)
