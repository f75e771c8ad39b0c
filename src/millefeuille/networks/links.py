"""Links: bridges, pairs of virtual cables, addresses and routes, by their names.

Each function takes the Netlink of the namespace that it is to act in, does one thing, and raises OSError with
the kernel's errno. To remove what is not there is no error.

Source: rtnetlink(7), Linux include/uapi/linux/if_link.h, if_bridge.h and veth.h.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.later import ipaddress
from millefeuille.networks import netlink
from millefeuille.networks.netlink import (
    CREATE,
    DUMP,
    EXCLUSIVE,
    REPLACE,
    Netlink,
    attribute,
    nested,
    number,
    text,
)

_NEWLINK, _DELLINK, _GETLINK, _SETLINK = 16, 17, 18, 19
_NEWADDR, _GETADDR = 20, 22
_NEWROUTE, _GETROUTE = 24, 26

_UP: Final = 1
_LINK: Final = struct.Struct("=BxHiII")  # family, type, index, flags, change
_ADDRESS: Final = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index
_ROUTE: Final = struct.Struct("=BBBBBBBBI")  # family, lengths, tos, table, protocol, scope, type, flags

# if_link.h
_IFLA_ADDRESS, _IFLA_NAME, _IFLA_MTU, _IFLA_MASTER = 1, 3, 4, 10
_IFLA_PROTINFO, _IFLA_LINKINFO, _IFLA_GROUP, _IFLA_NET_NS_FD = 12, 18, 27, 28
_INFO_KIND, _INFO_DATA, _PEER = 1, 2, 1
_BRIDGE_PORT_HAIRPIN: Final = 4
_OURS: Final = 0x6D000000  # groups of interfaces, where nobody else's are
# if_addr.h, rtnetlink.h
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST = 1, 2, 4
_RTA_DESTINATION, _RTA_OUTPUT, _RTA_GATEWAY = 1, 4, 5
_MAIN, _BOOT, _UNIVERSE, _UNICAST = 254, 3, 0, 1

TYPE_CHECKING = False
if TYPE_CHECKING:
    Address = ipaddress.IPv4Address | ipaddress.IPv6Address
    Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
    Subnet = ipaddress.IPv4Network | ipaddress.IPv6Network


def index(link: Netlink, name: str) -> int | None:
    """The number of the interface called `name`; None when there is none."""
    try:
        answers = link.ask(_GETLINK, 0, _LINK.pack(0, 0, 0, 0, 0) + text(_IFLA_NAME, name))
    except OSError as error:
        if error.errno in (errno.ENODEV, errno.ENXIO):
            return None
        raise
    return int(_LINK.unpack_from(answers[0][1])[2]) if answers else None


def hardware_address(link: Netlink, name: str) -> str | None:
    """The hardware address of the interface called `name`; None when there is none."""
    try:
        answers = link.ask(_GETLINK, 0, _LINK.pack(0, 0, 0, 0, 0) + text(_IFLA_NAME, name))
    except OSError as error:
        if error.errno in (errno.ENODEV, errno.ENXIO):
            return None
        raise
    return netlink.attributes(answers[0][1][_LINK.size :]).get(_IFLA_ADDRESS, b"").hex(":")


def names(link: Netlink) -> list[str]:
    """The names of all interfaces."""
    answers = link.ask(_GETLINK, DUMP, _LINK.pack(0, 0, 0, 0, 0))
    found = (netlink.attributes(body[_LINK.size :]).get(_IFLA_NAME, b"") for _, body in answers)
    return [name.rstrip(b"\0").decode(errors="replace") for name in found]


def has_ports(link: Netlink, bridge: str) -> bool:
    """Whether there are interfaces in the bridge of that name."""
    found = index(link, bridge)
    answers = link.ask(_GETLINK, DUMP, _LINK.pack(0, 0, 0, 0, 0)) if found is not None else []
    masters = (netlink.attributes(body[_LINK.size :]).get(_IFLA_MASTER) for _, body in answers)
    return any(master is not None and struct.unpack("=I", master)[0] == found for master in masters)


def add_bridge(link: Netlink, name: str, mac: str, mtu: int) -> None:
    """Make a bridge, which is up."""
    files.act("link-add", name)
    body = _LINK.pack(0, 0, 0, _UP, _UP) + text(_IFLA_NAME, name) + attribute(_IFLA_ADDRESS, _mac(mac))
    body += number(_IFLA_MTU, mtu) + nested(_IFLA_LINKINFO, text(_INFO_KIND, "bridge"))
    link.ask(_NEWLINK, CREATE | EXCLUSIVE, body)


def add_pair(link: Netlink, name: str, bridge: int, *, peer: str, namespace: int, mac: str, mtu: int) -> None:
    """Make a virtual cable: the end `name` here, up and in `bridge`; the end `peer` in another namespace.

    `namespace` is a descriptor of that one. The peer's hardware address is `mac`; it is down.
    """
    files.act("link-add", name)
    other = _LINK.pack(0, 0, 0, 0, 0) + text(_IFLA_NAME, peer) + attribute(_IFLA_ADDRESS, _mac(mac))
    other += number(_IFLA_MTU, mtu) + number(_IFLA_NET_NS_FD, namespace)
    body = _LINK.pack(0, 0, 0, _UP, _UP) + text(_IFLA_NAME, name) + number(_IFLA_MTU, mtu)
    body += number(_IFLA_MASTER, bridge)
    data = nested(_INFO_DATA, attribute(_PEER | 0x8000, other))
    body += nested(_IFLA_LINKINFO, text(_INFO_KIND, "veth"), data)
    link.ask(_NEWLINK, CREATE | EXCLUSIVE, body)


def allow_hairpin(link: Netlink, port: int) -> None:
    """Let a bridge send packets back through the port they came from: to one's own published port."""
    body = _LINK.pack(socket.AF_BRIDGE, 0, port, 0, 0)
    link.ask(_SETLINK, 0, body + nested(_IFLA_PROTINFO, attribute(_BRIDGE_PORT_HAIRPIN, b"\1")))


def set_up(link: Netlink, name: str) -> int:
    """Bring an interface up; its number."""
    number_of = index(link, name)
    if number_of is None:
        raise OSError(errno.ENODEV, "no such interface", name)
    link.ask(_NEWLINK, 0, _LINK.pack(0, 0, number_of, _UP, _UP))
    return number_of


def remove(link: Netlink, *names: str) -> None:
    """Remove interfaces; of a cable both ends go.

    The kernel waits several times until nobody looks at what goes. Several go as a group, for which it waits
    as long as for one.
    """
    for name in names:
        files.act("link-remove", name)
    if len(names) == 1:
        _if_there(link, _DELLINK, _LINK.pack(0, 0, 0, 0, 0) + text(_IFLA_NAME, names[0]))
    elif names:
        group = number(_IFLA_GROUP, _OURS | int.from_bytes(os.urandom(3), "big"))
        for name in names:
            _if_there(link, _NEWLINK, _LINK.pack(0, 0, 0, 0, 0) + text(_IFLA_NAME, name) + group)
        _if_there(link, _DELLINK, _LINK.pack(0, 0, 0, 0, 0) + group)


def _if_there(link: Netlink, kind: int, body: bytes) -> None:
    try:
        link.ask(kind, 0, body)
    except OSError as error:
        if error.errno not in (errno.ENODEV, errno.ENXIO):
            raise


def add_address(link: Netlink, interface: int, address: Interface) -> None:
    """Give an interface an address; that it has it already is no error."""
    ip = address.ip.packed
    body = _ADDRESS.pack(_family(address.ip), address.network.prefixlen, 0, 0, interface)
    body += attribute(_IFA_LOCAL, ip) + attribute(_IFA_ADDRESS, ip)
    if address.version == 4 and address.network.prefixlen < 31:
        body += attribute(_IFA_BROADCAST, address.network.broadcast_address.packed)
    try:
        link.ask(_NEWADDR, CREATE | EXCLUSIVE, body)
    except FileExistsError:
        pass


def set_default_route(link: Netlink, interface: int, gateway: Address) -> None:
    """Send everything that has no route of its own to `gateway`, and no longer to another."""
    body = _ROUTE.pack(_family(gateway), 0, 0, 0, _MAIN, _BOOT, _UNIVERSE, _UNICAST, 0)
    body += attribute(_RTA_GATEWAY, gateway.packed) + number(_RTA_OUTPUT, interface)
    link.ask(_NEWROUTE, CREATE | REPLACE, body)


def subnets(link: Netlink) -> Iterator[tuple[Subnet, int]]:
    """The ranges that addresses and routes of this namespace take, each with its interface."""
    for _, body in link.ask(_GETADDR, DUMP, _ADDRESS.pack(0, 0, 0, 0, 0)):
        family, length, _, _, interface = _ADDRESS.unpack_from(body)
        found = netlink.attributes(body[_ADDRESS.size :])
        ip = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS)
        if ip and family in (socket.AF_INET, socket.AF_INET6):
            yield ipaddress.ip_network((ip, length), strict=False), interface
    for _, body in link.ask(_GETROUTE, DUMP, _ROUTE.pack(0, 0, 0, 0, 0, 0, 0, 0, 0)):
        family, length, _, _, _, _, _, kind, _ = _ROUTE.unpack_from(body)
        found = netlink.attributes(body[_ROUTE.size :])
        ip, interface = found.get(_RTA_DESTINATION), found.get(_RTA_OUTPUT)
        if ip and interface and length and kind == _UNICAST and family in (socket.AF_INET, socket.AF_INET6):
            yield ipaddress.ip_network((ip, length), strict=False), struct.unpack("=I", interface)[0]


def _family(address: Address) -> int:
    return socket.AF_INET if address.version == 4 else socket.AF_INET6


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))
