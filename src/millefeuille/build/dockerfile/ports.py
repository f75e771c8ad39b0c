"""The ports of EXPOSE: `[ip:][host:]port[-end][/protocol]`."""

from __future__ import annotations

import re

from millefeuille.annotations import NamedTuple
from millefeuille.build.dockerfile.complaint import Complaint

_PROTOCOLS = ("tcp", "udp", "sctp")
_NUMBER = r"[0-9]{1,5}"
_ADDRESS = r"(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\.(?!$)|$)){4}|\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]?"


class Port(NamedTuple):
    """One word of EXPOSE. `address` and `host` mean nothing in an image; they are kept for those who warn."""

    first: int
    last: int
    protocol: str
    address: str
    host: str


def exposed(word: str) -> Port:
    """A word of EXPOSE, read.

    `protocol` is as written, `tcp` without one. Raises Complaint, in Docker's words.
    """
    parts = word.rsplit(":", 2)
    address = parts[0] if len(parts) == 3 else ""
    host = parts[-2] if len(parts) > 1 else ""
    port, slash, protocol = parts[-1].partition("/")
    if address and not re.fullmatch(_ADDRESS, address):
        raise Complaint(f"invalid IP address: {address}")
    if not port:
        raise Complaint(f"no port specified: {word}<empty>")
    numbers = _numbers(port)
    if numbers is None:
        raise Complaint(f"invalid containerPort: {port}")
    if host:
        hosts = _numbers(host)
        if hosts is None:
            raise Complaint(f"invalid hostPort: {host}")
        if numbers[0] != numbers[1] and hosts[1] - hosts[0] != numbers[1] - numbers[0]:
            raise Complaint(f"invalid ranges specified for container and host Ports: {port} and {host}")
    protocol = protocol if slash and protocol else "tcp"
    if protocol.lower() not in _PROTOCOLS:
        raise Complaint(f"invalid proto: {protocol}")
    return Port(*numbers, protocol, address, host)


def port_names(port: Port) -> list[str]:
    """The keys of the config's ExposedPorts: a range has one for each of its ports."""
    return [f"{number}/{port.protocol.lower()}" for number in range(port.first, port.last + 1)]


def _numbers(text: str) -> tuple[int, int] | None:
    first, dash, last = text.partition("-")
    if not re.fullmatch(_NUMBER, first) or (dash and not re.fullmatch(_NUMBER, last)):
        return None
    low = int(first)
    high = int(last) if dash else low
    return (low, high) if low <= high <= 65535 else None
