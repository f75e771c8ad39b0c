"""Wishes: what a container asks of the network, read from Docker's mappings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.networks.network import PREDEFINED
from millefeuille.values import dataclass, field

LEFT: Final = "Left"  # in a NetworkingConfig: networks that the container was disconnected from
NOWHERE: Final = ""  # the mode of a container that was none's and left it: it has what it was connected to
_EMPTY: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """`name` is the container's, `mode` Docker's NetworkMode or NOWHERE, `hosts` the path of its /etc/hosts.

    `endpoints` maps each network to Docker's EndpointSettings, `idle` is what was asked of host or none,
    where there is nothing to be had; `exposed` and `bindings` have ports as "80/tcp".
    """

    name: str
    mode: str
    hostname: str = ""
    domain: str = ""
    hosts: str = ""
    endpoints: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    idle: Mapping[str, Any] = field(default_factory=dict)
    exposed: Sequence[str] = ()
    bindings: Mapping[str, Sequence[Mapping[str, Any]] | None] = field(default_factory=dict)
    publish_all: bool = False
    extra_hosts: Sequence[str] = ()

    @property
    def private(self) -> bool:
        """Whether the container has a network namespace of its own."""
        return self.mode != "host" and not self.mode.startswith("container:")

    @property
    def host_name(self) -> str:
        """Its host name with the domain, as /etc/hosts has it first."""
        return f"{self.hostname}.{self.domain}" if self.domain else self.hostname


def wishes(
    name: str,
    config: Mapping[str, Any],
    host_config: Mapping[str, Any],
    networking: Mapping[str, Any],
    *,
    hosts: str = "",
) -> Wishes:
    """What the container `name` with these Config, HostConfig and NetworkingConfig asks for.

    `hosts` is where its /etc/hosts lies, or will lie.
    """
    mode = _mode(host_config, networking)
    bindings = host_config.get("PortBindings") or {}
    endpoints = _endpoints(mode, config, networking)
    return Wishes(
        name=name,
        mode=mode,
        hostname=str(config.get("Hostname") or ""),
        domain=str(config.get("Domainname") or ""),
        hosts=hosts,
        endpoints={} if mode in ("host", "none") or mode.startswith("container:") else endpoints,
        idle=endpoints.get(mode) or {} if mode in ("host", "none") else {},
        exposed=tuple(sorted({*(config.get("ExposedPorts") or ()), *bindings})),
        bindings=bindings,
        publish_all=bool(host_config.get("PublishAllPorts")),
        extra_hosts=tuple(host_config.get("ExtraHosts") or ()),
    )


def _mode(host_config: Mapping[str, Any], networking: Mapping[str, Any]) -> str:
    mode = str(host_config.get("NetworkMode") or "default")
    mode = "bridge" if mode == "default" else mode
    if mode in (networking.get(LEFT) or ()):
        # Who left its network may have been connected to none, which stands alone.
        gone = NOWHERE if mode == "none" else mode
        mode = "none" if "none" in (networking.get("EndpointsConfig") or ()) else gone
    return mode


def _endpoints(
    mode: str, config: Mapping[str, Any], networking: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """What is asked of each network, the one of the mode first."""
    asked = dict(networking.get("EndpointsConfig") or _EMPTY)
    if "default" in asked:
        asked["bridge"] = asked.pop("default")
    if mode not in ("host", "none", NOWHERE) and not mode.startswith("container:"):
        asked = {mode: asked.pop(mode, None), **asked}
    left = networking.get(LEFT) or ()
    for network in left:
        asked.pop(network, None)
    endpoints = {network: dict(wish or _EMPTY) for network, wish in asked.items()}
    if (mac := config.get("MacAddress")) and mode not in (NOWHERE, *left):
        endpoints.setdefault(mode, {}).setdefault("MacAddress", mac)
    return endpoints


def names(wishes: Wishes, container: str, network: str, wish: Mapping[str, Any]) -> tuple[str, ...]:
    """What others on the network call the container; on Docker's own networks nobody calls anybody."""
    if network in PREDEFINED:
        return ()
    called = (wishes.name, *(wish.get("Aliases") or ()), container[:12], wishes.hostname)
    return tuple(dict.fromkeys(filter(None, called)))
