"""Open a TCP connection: resolve a name, refuse addresses out of bounds, connect to exactly what was checked.

The text of a DialError is what Docker (Go's net package) says after the URL.
"""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Sequence

from millefeuille.annotations import Any
from millefeuille.registry.address import Reach, permits, reach_of

_NAMESERVER = re.compile(r"^\s*nameserver\s+(\S+)", re.MULTILINE)


class DialError(Exception):
    """No connection. `passing` tells whether trying again may help."""

    def __init__(self, text: str, *, passing: bool) -> None:
        super().__init__(text)
        self.passing = passing


class Forbidden(DialError):
    """A name or address where the registry may not send us."""

    def __init__(self, host: str, reach: Reach) -> None:
        super().__init__(f"refused to connect to {host}, a {reach.value} address", passing=False)


class Dialer:
    """Connects. With `fence`, only to addresses where a registry of that reach may send us.

    `reaches` remembers how far each host was that has been connected to.
    """

    def __init__(self, fence: Reach | None = None) -> None:
        self.fence = fence
        self.reaches: dict[str, Reach] = {}

    def dial(self, host: str, port: int, timeout: float | None, options: Sequence[Any]) -> socket.socket:
        """A connected socket. `timeout` in seconds, for each address. Raises DialError."""
        failure: DialError | None = None
        for family, address in _resolve(host, port):
            reach = reach_of(str(address[0]))
            if self.fence is not None and not permits(self.fence, reach):
                failure = Forbidden(host, reach)
                continue
            try:
                connected = _connect(family, address, timeout, options)
            except DialError as error:
                failure = error
                continue
            self.reaches[host] = reach
            return connected
        raise failure or DialError(f"dial tcp: lookup {host}: no such host", passing=False)


def _resolve(host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, 0, socket.SOCK_STREAM)
    except UnicodeError as error:
        raise DialError(f"dial tcp: lookup {host}: no such host", passing=False) from error
    except socket.gaierror as error:
        # `.invalid` never exists (RFC 6761); without a network a resolver only says "try again".
        passing = error.errno == socket.EAI_AGAIN and not host.rstrip(".").endswith(".invalid")
        words = "server misbehaving" if passing else "no such host"
        raise DialError(f"dial tcp: lookup {host} on {_nameserver()}: {words}", passing=passing) from error
    return [(entry[0], entry[4]) for entry in found]


def _connect(
    family: int, address: tuple[Any, ...], timeout: float | None, options: Sequence[Any]
) -> socket.socket:
    connecting = socket.socket(family, socket.SOCK_STREAM)
    try:
        for option in options:
            connecting.setsockopt(*option)
        connecting.settimeout(timeout)
        connecting.connect(address)
    except OSError as error:
        connecting.close()
        raise DialError(
            f"dial tcp {_text(address)}: {_words(error)}", passing=_passing(error, address)
        ) from error
    return connecting


def _passing(error: OSError, address: tuple[Any, ...]) -> bool:
    """Nobody waits for a server on this very machine to come up; a distant one may be restarting."""
    if error.errno == errno.ECONNREFUSED:
        return reach_of(str(address[0])) is not Reach.LOOPBACK
    return isinstance(error, TimeoutError) or error.errno not in (errno.EACCES, errno.EPERM, errno.EINVAL)


def _words(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "i/o timeout"
    return f"connect: {os.strerror(error.errno or 0).lower()}"


def _text(address: tuple[Any, ...]) -> str:
    host = f"[{address[0]}]" if ":" in str(address[0]) else str(address[0])
    return f"{host}:{address[1]}"


def _nameserver() -> str:
    """The resolver a person can look at; Docker names it too."""
    try:
        with open("/etc/resolv.conf", encoding="utf-8", errors="replace") as stream:
            found = _NAMESERVER.search(stream.read(65536))
    except OSError:
        found = None
    server = found[1] if found else "127.0.0.1"
    return f"[{server}]:53" if ":" in server else f"{server}:53"
