"""Pools: which subnets networks get, and which addresses containers get."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Iterator

from millefeuille.annotations import Final
from millefeuille.errors import Conflict, Failed
from millefeuille.sha256 import sha256

Subnet = ipaddress.IPv4Network
Address = ipaddress.IPv4Address

# Docker's, in its order. Source: moby v28.2.2, libnetwork/ipamutils/utils.go.
_FIRST: Final = tuple(Subnet(f"172.{second}.0.0/16") for second in range(17, 32))
DEFAULT: Final = _FIRST[0]  # what the network `bridge` has, where it can
_SECOND: Final = tuple(Subnet("192.168.0.0/16").subnets(new_prefix=20))


class PoolTaken(Conflict):
    """The subnet overlaps with another one on this host; the message is Docker's."""


class NoPool(Failed):
    """Every subnet is taken; the message is Docker's."""


class NoAddress(Failed):
    """Every address of a network is taken, or the one asked for is."""


def pick(taken: Iterable[Subnet], reserved: Iterable[Subnet] = ()) -> Subnet:
    """The first subnet that overlaps with none of `taken` and, while others are left, none of `reserved`.

    Raises NoPool.
    """
    used, spared = tuple(taken), tuple(reserved)
    free = [pool for pool in (*_FIRST, *_SECOND) if not overlaps(pool, used)]
    for pool in (*(pool for pool in free if not overlaps(pool, spared)), *free):
        return pool
    raise NoPool("all predefined address pools have been fully subnetted")


def overlaps(subnet: Subnet, others: Iterable[Subnet]) -> bool:
    """Whether `subnet` shares an address with any of `others`."""
    return any(subnet.overlaps(other) for other in others)


def allocate(
    subnet: Subnet, taken: Collection[Address], *, within: Subnet | None = None, wish: Address | None = None
) -> Address:
    """An address that nobody has: `wish`, else the first free one of `within` or of the subnet.

    Raises NoAddress.
    """
    if wish is not None:
        if wish not in subnet:
            raise NoAddress(f"invalid address {wish}: It does not belong to any of this network's subnets")
        if wish in taken or wish in _ends(subnet):
            raise NoAddress("Address already in use")
        return wish
    for address in _usable(within or subnet):
        if address not in taken and address not in _ends(subnet):
            return address
    raise NoAddress("no available IPv4 addresses on this network's address pools")


def first(subnet: Subnet) -> Address:
    """The first address of a subnet: the gateway's, unless another is asked for."""
    return subnet.network_address + (1 if subnet.prefixlen < 31 else 0)


def hardware_address(text: str) -> str:
    """The one that stands for `text`: of no maker, and of one interface alone."""
    value = bytearray(sha256(text.encode()).digest()[:6])
    value[0] = (value[0] & 0xFC) | 0x02
    return value.hex(":")


def _ends(subnet: Subnet) -> tuple[Address, ...]:
    """The addresses that stand for the subnet itself and for everybody in it."""
    return (subnet.network_address, subnet.broadcast_address) if subnet.prefixlen < 31 else ()


def _usable(part: Subnet) -> Iterator[Address]:
    # `hosts()` leaves out the ends of the part, which are ordinary addresses of a larger subnet.
    return (part.network_address + offset for offset in range(part.num_addresses))
