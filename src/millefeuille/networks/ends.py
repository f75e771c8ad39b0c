"""Ends: what a container's end of a network is to be, and what follows from the ends that containers have."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid
from millefeuille.later import Later, ipaddress
from millefeuille.networks import hostfiles
from millefeuille.networks.hostfiles import Name
from millefeuille.networks.lease import Endpoint, Lease
from millefeuille.networks.network import Network
from millefeuille.networks.wishes import Wishes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.networks import pools
else:
    pools = Later("millefeuille.networks.pools")

_SEPARATORS: Final = {ord(mark): None for mark in ":-."}  # of hardware addresses
_MAC_DIGITS: Final = 12


class BadEndpoint(Invalid):
    """What is asked of a network is not something that it can give."""


def endpoint(
    network: Network,
    wish: Mapping[str, Any],
    taken: set[ipaddress.IPv4Address],
    *,
    names: tuple[str, ...],
    interface: str,
) -> Endpoint:
    """An end of a settled network of which `taken` are gone, as Docker's EndpointSettings `wish` asks for it.

    Raises BadEndpoint, NoAddress.
    """
    assert network.subnet is not None and network.gateway is not None
    asked = (wish.get("IPAMConfig") or {}).get("IPv4Address") or ""
    check(network, wish)
    address = pools.allocate(
        network.subnet, taken | {network.gateway}, within=network.ip_range,
        wish=ipaddress.IPv4Address(asked) if asked else None,
    )  # fmt: skip
    identity = os.urandom(32).hex()
    # The same for the same address: those who knew who had it before reach who has it now.
    mac = pools.hardware_address(f"end {network.store} {network.id} {address}")
    return Endpoint(
        id=identity, network=network.name, network_id=network.id, cable=f"mv-{identity[:12]}",
        interface=interface, ip=str(address), prefix=network.subnet.prefixlen,
        gateway="" if network.internal else str(network.gateway),
        mac=_hardware_address(wish) or mac, names=names, wish=dict(wish),
        bridge=network.interface,
    )  # fmt: skip


def gateway_end(lease: Lease) -> Endpoint | None:
    """The end of the network by which a container leaves its networks: the one of the highest priority."""
    ends = [end for end in lease.endpoints if end.gateway]
    return min(ends, key=lambda end: (-int(end.wish.get("GwPriority") or 0), end.network), default=None)


def free_interface(lease: Lease) -> str:
    """A name for the container's end of one more network."""
    taken = {end.interface for end in lease.endpoints}
    return next(f"eth{n}" for n in range(len(taken) + 1) if f"eth{n}" not in taken)


def idle(network: Network, wish: Mapping[str, Any]) -> Endpoint:
    """The end of a network that consists of nothing, Docker's host and none; it tells what was asked for."""
    return Endpoint(
        id=os.urandom(32).hex(), network=network.name, network_id=network.id, cable="", interface="", ip="",
        prefix=0, gateway="", mac="", names=(), wish=wish,
    )  # fmt: skip


def hosts(lease: Lease, wishes: Wishes, *, host: str = "") -> str:
    """The container's /etc/hosts, but for other containers; `host` is where this host is reached, if not at
    the gateway. Raises BadExtraHost.
    """
    outer = gateway_end(lease)
    gateway = host or (outer.gateway if outer else "")
    if lease.mode == "host":
        return hostfiles.host_names() + "".join(
            f"{name}\n" for name in hostfiles.extra_names(wishes.extra_hosts, "127.0.0.1")
        )
    called = (wishes.host_name, wishes.hostname) if wishes.domain else (wishes.hostname,)
    own = [Name(ip=end.ip, names=called) for end in lease.endpoints if end.ip and wishes.hostname]
    return hostfiles.hosts(own, wishes.extra_hosts, gateway=gateway)


def peers(lease: Lease, leases: Sequence[Lease]) -> list[Name]:
    """Whom a container knows by name: who is on its networks, itself too."""
    known = {end.network_id for end in lease.endpoints}
    return [
        Name(ip=end.ip, names=end.names)
        for other in leases
        for end in other.endpoints
        if end.names and end.network_id in known
    ]


def check_addresses(wish: Mapping[str, Any]) -> None:
    """Hold that the addresses which are asked for are some. Raises BadEndpoint."""
    for version in (4, 6):
        text = str((wish.get("IPAMConfig") or {}).get(f"IPv{version}Address") or "")
        try:
            known = not text or ipaddress.ip_address(text).version == version
        except ValueError:
            known = False
        if not known:
            raise BadEndpoint(f"invalid IPv{version} address: {text}")
    _hardware_address(wish)


def _hardware_address(wish: Mapping[str, Any]) -> str:
    """The address that is asked for, "" for none, in one of the ways that Go's ParseMAC reads.

    Raises BadEndpoint; those of 8 and 20 bytes, which it reads too, are no interface's here.
    """
    text = str(wish.get("MacAddress") or "").strip()
    digits = text.lower().translate(_SEPARATORS)
    if text and len(digits) != _MAC_DIGITS:
        raise BadEndpoint(f"invalid MAC address: {text}: one of six bytes is needed")
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def check(network: Network, wish: Mapping[str, Any]) -> None:
    """Hold Docker's rules on what may be asked of which network. Raises BadEndpoint, NoAddress."""
    check_addresses(wish)
    ip = (wish.get("IPAMConfig") or {}).get("IPv4Address") or ""
    if network.predefined and ip:
        raise BadEndpoint("user specified IP address is supported on user defined networks only")
    if network.predefined and wish.get("Aliases"):
        raise BadEndpoint("network-scoped alias is supported only for containers in user defined networks")
    if network.chosen and ip:
        raise BadEndpoint(
            "user specified IP address is supported only when connecting to networks with user configured"
            " subnets"
        )
    if ip and network.subnet is not None and network.gateway is not None:
        pools.allocate(network.subnet, {network.gateway}, wish=ipaddress.IPv4Address(ip))
