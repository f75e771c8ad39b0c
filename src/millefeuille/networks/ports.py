"""Ports: what is asked to be published, and which ports of the host it gets.

Source: moby v28.2.2, libnetwork/portallocator and libnetwork/drivers/bridge/port_mapping_linux.go.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.errors import Conflict, Invalid, Unsupported
from millefeuille.later import ipaddress
from millefeuille.networks.lease import Port
from millefeuille.values import dataclass

PROTOCOLS: Final = ("tcp", "udp", "sctp")
_RANGE: Final = "/proc/sys/net/ipv4/ip_local_port_range"
_UNPRIVILEGED: Final = "An ordinary user has ports from the sysctl net.ipv4.ip_unprivileged_port_start on."
_KINDS: Final = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_DIGITS: Final = 9  # at most, of a number that can be right


class PortTaken(Conflict):
    """Something else listens on the port; the message is Docker's."""


class BadPort(Invalid):
    """A port is not one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """`port`/`protocol` of the container, to be reached at `host_ip` and one port of `first` to `last`."""

    port: int
    protocol: str
    host_ip: str
    first: int
    last: int


def publications(
    bindings: Mapping[str, Sequence[Mapping[str, Any]] | None],
    exposed: Iterable[str],
    *,
    everything: bool,
    address: str,
) -> list[Publication]:
    """What Docker's PortBindings and PublishAllPorts ask for; `address` stands in for none.

    Raises BadPort, Unsupported.
    """
    asked = {key: list(wishes or ()) for key, wishes in bindings.items()}
    if everything:
        for key in exposed:
            asked.setdefault(key, [{}])
    found = []
    for key, wishes in sorted(asked.items(), key=lambda item: split(item[0])):
        port, protocol = split(key)
        for wish in wishes or [{}]:
            first, last = _numbers(str(wish.get("HostPort") or "0"))
            host_ip = _host_ip(str(wish.get("HostIp") or address))
            found.append(Publication(port=port, protocol=protocol, host_ip=host_ip, first=first, last=last))
    # Fixed ports first, so that no random one takes theirs.
    return sorted(found, key=lambda one: one.first == 0)


def choose(wanted: Iterable[Publication], taken: Iterable[Port], container_ip: str) -> tuple[Port, ...]:
    """Ports of the host for all that is wanted, none of them among `taken`. Raises PortTaken."""
    used = list(taken)
    chosen = []
    for one in wanted:
        port = _choose(one, used, container_ip)
        used.append(port)
        chosen.append(port)
    return tuple(chosen)


def split(key: str) -> tuple[int, str]:
    """The number and the protocol of "80/tcp". Raises BadPort."""
    number, _, protocol = key.partition("/")
    protocol = protocol or "tcp"
    if not _is_number(number) or not 0 < int(number) < 65536:
        raise BadPort(f"invalid port specification: {key!r}".replace("'", '"'))
    if protocol not in PROTOCOLS:
        raise BadPort(f"invalid protocol: {protocol}")
    return int(number), protocol


def _choose(one: Publication, used: Sequence[Port], container_ip: str) -> Port:
    first, last = (one.first, one.last) if one.first else _ephemeral()
    problem: PortTaken | None = None
    for number in range(first, last + 1):
        port = Port(port=one.port, protocol=one.protocol, host_ip=one.host_ip, host_port=number)
        if any(_clash(port, other) for other in used):
            problem = PortTaken(f"Bind for {one.host_ip}:{number} failed: port is already allocated")
        elif not is_free(port):
            where = f"{one.host_ip}:{number}:{container_ip}:{one.port}/{one.protocol}"
            problem = PortTaken(f"failed to bind host port for {where}: address already in use")
        else:
            return port
    if one.first == one.last and problem is not None:
        raise problem
    raise PortTaken("all ports are allocated")


def is_free(port: Port) -> bool:
    """Whether nobody on this host listens there now. Raises PortTaken when the address is not this host's."""
    kind = _KINDS.get(port.protocol)
    if kind is None:
        return True
    with socket.socket(socket.AF_INET, kind | socket.SOCK_CLOEXEC) as tried:
        if port.protocol == "tcp":
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((port.host_ip, port.host_port))
            if port.protocol == "tcp":
                tried.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            reason = (error.strerror or str(error)).lower()
            raise PortTaken(
                f"failed to bind host port for {port.host_ip}:{port.host_port}/{port.protocol}: {reason}",
                advice=_UNPRIVILEGED if error.errno == errno.EACCES else None,
            ) from error
    return True


def _clash(port: Port, other: Port) -> bool:
    if (port.protocol, port.host_port) != (other.protocol, other.host_port):
        return False
    return port.host_ip == other.host_ip or "0.0.0.0" in (port.host_ip, other.host_ip)


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= _DIGITS


def _numbers(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    numbers = (first, last if dash else first)
    if not all(_is_number(number) and int(number) < 65536 for number in numbers):
        raise BadPort(f"invalid port specification: {text!r}".replace("'", '"'))
    if int(numbers[0]) > int(numbers[1]):
        raise BadPort(f"invalid range specified for port: {text}")
    return int(numbers[0]), int(numbers[1])


def _host_ip(text: str) -> str:
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError as error:
        raise BadPort(f"invalid IP address: {text}") from error
    if address.version != 4:
        raise Unsupported(f"ports are published on IPv4 addresses only, not on {text}")
    return str(address)


def _ephemeral() -> tuple[int, int]:
    with open(_RANGE) as file:
        first, last = file.read().split()
    return int(first), int(last)
