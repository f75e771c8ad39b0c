"""Wiring: a container's cables, from its namespace to the bridges of its networks."""

from __future__ import annotations

import os
from collections.abc import Callable

from millefeuille.errors import Failed
from millefeuille.later import ipaddress
from millefeuille.networks import ends, links, namespace
from millefeuille.networks.lease import Endpoint, Lease
from millefeuille.networks.netlink import Netlink
from millefeuille.networks.network import Network

Find = Callable[[str], Network]


class BridgeGone(Failed):
    """Somebody else removed a bridge while a container was being connected to it."""


def wire(path: str, lease: Lease, find: Find) -> None:
    """Make the namespace at `path`, with all cables of the lease; `find` gives a network by its ID.

    Raises BridgeGone, OSError.
    """
    with namespace.make(path) as inside, Netlink() as host:
        _connect(host, inside, path, lease, lease.endpoints, find)


def rewire(path: str, lease: Lease, added: tuple[Endpoint, ...], find: Find) -> None:
    """Add cables to a namespace that is in use, and choose its way out anew. Raises BridgeGone, OSError."""
    with namespace.enter(path) as inside, Netlink() as host:
        _connect(host, inside, path, lease, added, find)


def _connect(
    host: Netlink, inside: Netlink, path: str, lease: Lease, added: tuple[Endpoint, ...], find: Find
) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for end in added:
            if end.cable:
                _plug(host, inside, descriptor, end, find(end.network_id))
    finally:
        os.close(descriptor)
    outer = ends.gateway_end(lease)
    number = links.index(inside, outer.interface) if outer else None
    if outer is not None and number is not None:
        links.set_default_route(inside, number, ipaddress.ip_address(outer.gateway))


def _plug(host: Netlink, inside: Netlink, descriptor: int, end: Endpoint, network: Network) -> None:
    bridge = links.index(host, end.bridge)
    if bridge is None:
        raise BridgeGone(f"the bridge {end.bridge} of network {network.name} is gone")
    links.add_pair(
        host, end.cable, bridge, peer=end.interface, namespace=descriptor, mac=end.mac, mtu=network.mtu
    )
    number = links.index(host, end.cable)
    if number is not None:
        links.allow_hairpin(host, number)
    peer = links.index(inside, end.interface)
    if peer is not None:
        # The address first: when the interface comes up, it tells everybody whose address it is now.
        links.add_address(inside, peer, end.address)
    links.set_up(inside, end.interface)
