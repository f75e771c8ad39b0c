"""Netlink: the kernel's own way to be told about interfaces, addresses and routes.

Thin: messages out, answers in. What a message is about is `links`' to know.

Source: rtnetlink(7), netlink(7), RFC 3549.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from types import TracebackType

from millefeuille.annotations import Final

ROUTE: Final = 0  # NETLINK_ROUTE
NETFILTER: Final = 12

REQUEST: Final = 0x1
ACK: Final = 0x4
DUMP: Final = 0x300
REPLACE: Final = 0x100
EXCLUSIVE: Final = 0x200
CREATE: Final = 0x400

_ERROR: Final = 2
_DONE: Final = 3
_HEADER: Final = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ATTRIBUTE: Final = struct.Struct("=HH")
_BUFFER: Final = 1 << 17
_NESTED: Final = 0x8000


class Netlink:
    """One socket, which belongs to the network namespace of the thread that opened it, for good."""

    def __init__(self, family: int = ROUTE) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family)
        self._sequence = 0

    def __enter__(self) -> Netlink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def ask(self, kind: int, flags: int, body: bytes) -> list[tuple[int, bytes]]:
        """Send one message and gather its answers, (type, body) each. Raises OSError as the kernel says."""
        self._sequence += 1
        # A dump ends with a message of its own, anything else with an acknowledgement.
        flags |= REQUEST if flags & DUMP == DUMP else REQUEST | ACK
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, self._sequence, 0) + body)
        answers: list[tuple[int, bytes]] = []
        while True:
            for type, sequence, payload in _messages(self._socket.recv(_BUFFER)):
                if sequence != self._sequence:
                    continue
                if type == _DONE:
                    return answers
                if type == _ERROR:
                    code = -struct.unpack_from("=i", payload)[0]
                    if code:
                        raise OSError(code, os.strerror(code), "netlink")
                    return answers
                answers.append((type, payload))


def attribute(kind: int, data: bytes) -> bytes:
    """One attribute, padded to where the next may begin."""
    length = _ATTRIBUTE.size + len(data)
    return _ATTRIBUTE.pack(length, kind) + data + bytes(-length % 4)


def nested(kind: int, *attributes: bytes) -> bytes:
    """An attribute that holds attributes."""
    return attribute(kind | _NESTED, b"".join(attributes))


def text(kind: int, value: str) -> bytes:
    """An attribute that holds a text."""
    return attribute(kind, value.encode() + b"\0")


def number(kind: int, value: int) -> bytes:
    """An attribute that holds a 32 bit number."""
    return attribute(kind, struct.pack("=I", value))


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes in `data` by their kinds."""
    found: dict[int, bytes] = {}
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if length < _ATTRIBUTE.size:
            break
        found[kind & 0x3FFF] = data[_ATTRIBUTE.size : length]
        data = data[length + (-length % 4) :]
    return found


def _messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    while len(data) >= _HEADER.size:
        length, kind, _, sequence, _ = _HEADER.unpack_from(data)
        yield kind, sequence, data[_HEADER.size : length]
        data = data[length + (-length % 4) :]
