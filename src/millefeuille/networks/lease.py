"""Lease: all that a container holds of the host's network, written down before it is taken.

    <run>/networks/<container>.json

Whoever finds a lease can give back everything in it, however far its owner came. A lease does not outlive a
boot, as nothing in it does: one from before is void.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping

from millefeuille import files
from millefeuille.annotations import Any, Final
from millefeuille.later import ipaddress
from millefeuille.plainjson import dumps, loads
from millefeuille.values import asdict, dataclass

_BOOT: Final = "/proc/sys/kernel/random/boot_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A container's end of one network: `cable` is the interface on the host, `interface` that inside,
    `bridge` the one that joins the cables.

    `names` are what other containers on the network call it; `wish` is Docker's EndpointConfig asked for.
    """

    id: str
    network: str
    network_id: str
    cable: str
    interface: str
    ip: str
    prefix: int
    gateway: str
    mac: str
    names: tuple[str, ...]
    wish: Mapping[str, Any]
    bridge: str = ""

    @property
    def address(self) -> ipaddress.IPv4Interface:
        """The address with the size of its subnet."""
        return ipaddress.IPv4Interface(f"{self.ip}/{self.prefix}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of the container, "80/tcp", that is reached at `host_ip`:`host_port`."""

    port: int
    protocol: str
    host_ip: str
    host_port: int

    @property
    def key(self) -> str:
        """As Docker's maps have it."""
        return f"{self.port}/{self.protocol}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """The process that carries a container's traffic where no cable does: its ID, and when it started, in
    clock ticks since the boot, which tells it from a later one with that ID.
    """

    pid: int
    started: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """`container` is an ID; `exposed` are the ports it has, published or not; `hosts` is its /etc/hosts."""

    container: str
    name: str
    mode: str
    hosts: str
    exposed: tuple[str, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[Port, ...] = ()
    carrier: Carrier | None = None

    def on(self, network_id: str) -> Endpoint | None:
        """Its end of that network, if it has one."""
        return next((end for end in self.endpoints if end.network_id == network_id), None)


class Leases:
    """The leases in one directory."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def path(self, container: str) -> str:
        """The file of one lease."""
        return f"{self.directory}/{container}.json"

    def write(self, lease: Lease) -> None:
        """Write a lease, in place of the one before. Raises OSError."""
        value = {"Boot": _boot(), "Lease": asdict(lease)}
        path = self.path(lease.container)
        files.replace_file(path, dumps(value).encode(), lasting=False)

    def read(self, container: str) -> Lease | None:
        """A container's lease; None when it has none, or one from before the last boot."""
        try:
            with open(self.path(container), "rb") as file:
                value = loads(file.read())
            return _decode(value["Lease"]) if value["Boot"] == _boot() else None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, KeyError, TypeError):
            return None  # written by another version; what it holds goes with the next boot

    def forget(self, container: str) -> None:
        """Remove a lease."""
        files.unlink(self.path(container))

    def containers(self) -> list[str]:
        """The containers that have a lease, valid or not."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            found = (
                name.removesuffix(".json") for name in os.listdir(self.directory) if name[-5:] == ".json"
            )
            return sorted(found)
        return []

    def every(self) -> Iterator[Lease]:
        """All valid leases."""
        for container in self.containers():
            lease = self.read(container)
            if lease is not None:
                yield lease


def _decode(value: Mapping[str, Any]) -> Lease:
    ends = tuple(Endpoint(**{**end, "names": tuple(end["names"])}) for end in value["endpoints"])
    ports = tuple(Port(**port) for port in value["ports"])
    carrier = Carrier(**value["carrier"]) if value.get("carrier") else None
    told = {"exposed": tuple(value["exposed"]), "endpoints": ends, "ports": ports, "carrier": carrier}
    return Lease(**{**value, **told})


def _boot() -> str:
    with open(_BOOT) as file:
        return file.read().strip()
