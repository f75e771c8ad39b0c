"""Connection: what a container got of the network, told as Docker's NetworkSettings."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.networks.lease import Endpoint, Lease, Port
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """`namespace` is the path of the network namespace to start in, "" for the host's own.

    `settings` is Docker's NetworkSettings; `ports` are those published, which nobody listens on yet. `own` is
    false for the namespace of another container. `resolver` is where the host's own resolver is reached from
    inside, "" where it is not.
    """

    namespace: str
    settings: Mapping[str, Any]
    own: bool = True
    ports: tuple[Port, ...] = ()
    resolver: str = ""

    @property
    def needs_release(self) -> bool:
        """Whether something is to be given back when the container ends."""
        return self.own and self.namespace != ""


def network_settings(
    lease: Lease | None,
    namespace: str = "",
    absent: Mapping[str, tuple[str, Mapping[str, Any]]] | None = None,
) -> dict[str, Any]:
    """Docker's NetworkSettings of a container with this lease, or of one that is not connected.

    `absent` are networks that it will be on but is not: name to (ID, EndpointSettings asked for).
    """
    ends = lease.endpoints if lease else ()
    default = next((end for end in ends if end.network == "bridge"), None)
    told = {name: _settings(None, name, id, wish) for name, (id, wish) in (absent or {}).items()}
    told.update({end.network: _settings(end, end.network, end.network_id, end.wish) for end in ends})
    return {
        "Bridge": "",
        "SandboxID": lease.container if lease else "",
        "SandboxKey": namespace if lease else "",
        "Ports": _ports(lease) if lease else {},
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        "EndpointID": default.id if default else "",
        "Gateway": default.gateway if default else "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "IPAddress": default.ip if default else "",
        "IPPrefixLen": default.prefix if default else 0,
        "IPv6Gateway": "",
        "MacAddress": default.mac if default else "",
        "Networks": dict(sorted(told.items())),
    }


def _settings(end: Endpoint | None, name: str, id: str, wish: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "IPAMConfig": wish.get("IPAMConfig"),
        "Links": wish.get("Links"),
        "Aliases": wish.get("Aliases"),
        "MacAddress": end.mac if end else wish.get("MacAddress") or "",
        "DriverOpts": wish.get("DriverOpts"),
        "GwPriority": wish.get("GwPriority") or 0,
        "NetworkID": id,
        "EndpointID": end.id if end else "",
        "Gateway": end.gateway if end else "",
        "IPAddress": end.ip if end else "",
        "IPPrefixLen": end.prefix if end else 0,
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "DNSNames": (list(end.names) or None) if end else None,
    }


def _ports(lease: Lease) -> dict[str, list[dict[str, str]] | None]:
    told: dict[str, list[dict[str, str]] | None] = dict.fromkeys(lease.exposed)
    for port in sorted(lease.ports, key=lambda one: (one.key, one.host_ip, one.host_port)):
        bound = told.get(port.key) or []
        told[port.key] = [*bound, {"HostIp": port.host_ip, "HostPort": str(port.host_port)}]
    return told
