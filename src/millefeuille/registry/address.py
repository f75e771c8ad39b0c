"""Reach: how far away an address is, and who may send this client there.

A public registry must not be able to point us (by a redirect, a token realm, an upload location) at
something that only this machine or its network can see.
"""

from __future__ import annotations

import enum
import ipaddress

_LINK_LOCAL = [ipaddress.ip_network(text) for text in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128")]
_LOOPBACK = [ipaddress.ip_network(text) for text in ("127.0.0.0/8", "::1/128", "0.0.0.0/8", "::/128")]
_PRIVATE = [
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10")
]
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


class Reach(enum.Enum):
    """Where an address lies, seen from this machine."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    LINK_LOCAL = "link-local"


def reach_of(address: str) -> Reach:
    """The reach of an IP address, IPv4 inside IPv6 included. Raises ValueError for other text."""
    value = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(value, ipaddress.IPv6Address):
        value = _embedded(value)
    for networks, reach in (
        (_LINK_LOCAL, Reach.LINK_LOCAL),
        (_LOOPBACK, Reach.LOOPBACK),
        (_PRIVATE, Reach.PRIVATE),
    ):
        if any(value in network for network in networks):
            return reach
    return Reach.PUBLIC


def literal_reach(host: str) -> Reach | None:
    """The reach of a host that is an address itself, in any spelling resolvers accept; None for names."""
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return Reach.LOOPBACK
    try:
        return reach_of(name)
    except ValueError:
        return _numeric(name)


def permits(registry: Reach, target: Reach) -> bool:
    """True when a registry of one reach may send us to an address of another."""
    if target is Reach.PUBLIC or target is registry:
        return True
    return target is Reach.PRIVATE and registry is Reach.LOOPBACK


def _embedded(value: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if value.ipv4_mapped is not None:
        return value.ipv4_mapped
    if value.sixtofour is not None:
        return value.sixtofour
    if value in _TRANSLATED:
        return ipaddress.IPv4Address(int(value) & 0xFFFFFFFF)
    return value


def _numeric(name: str) -> Reach | None:
    """`2130706433`, `0x7f.1` and `0177.0.0.1` are addresses to inet_aton, and so to resolvers."""
    parts = name.split(".")
    if len(parts) > 4:
        return None
    numbers = []
    for part in parts:
        try:
            base = 16 if part.startswith("0x") else 8 if len(part) > 1 and part.startswith("0") else 10
            numbers.append(int(part, base))
        except ValueError:
            return None
    value = numbers[-1]
    for position, number in enumerate(numbers[:-1]):
        value += number << (24 - 8 * position)
    if not 0 <= value < 1 << 32:
        return None
    return reach_of(str(ipaddress.IPv4Address(value)))
