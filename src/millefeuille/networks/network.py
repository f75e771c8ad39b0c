"""Network: what is known of one, and how it is written down.

Docker's three predefined networks have identities that follow from the store's path, so that they exist
without anything being written.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.later import ipaddress
from millefeuille.sha256 import sha256
from millefeuille.values import dataclass, field

NEVER: Final = "0001-01-01T00:00:00Z"
PREDEFINED: Final = {"bridge": "bridge", "host": "host", "none": "null"}  # names and drivers
_BRIDGE_NAME: Final = "com.docker.network.bridge.name"
_MTU: Final = "com.docker.network.driver.mtu"
_MASQUERADE: Final = "com.docker.network.bridge.enable_ip_masquerade"
_BINDING: Final = "com.docker.network.bridge.host_binding_ipv4"
OPTIONS: Final = frozenset({_BRIDGE_NAME, _MTU, _MASQUERADE, _BINDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One network. `driver` is "bridge", "host" or "null"; only the first has a subnet.

    `chosen` says that the subnet was ours to choose: then another may take its place while nobody is on it.
    `ip_range` is the part of the subnet that addresses are given out from. `store` tells its store from
    others of the host: a copy of one has networks with the same IDs. `bridge` is the name that its bridge has
    now where that is not the usual one, "" elsewhere. These two are not written down.
    """

    id: str
    name: str
    driver: str = "bridge"
    created: str = NEVER
    subnet: ipaddress.IPv4Network | None = None
    gateway: ipaddress.IPv4Address | None = None
    ip_range: ipaddress.IPv4Network | None = None
    chosen: bool = False
    internal: bool = False
    attachable: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    store: str = ""
    bridge: str = ""

    @property
    def predefined(self) -> bool:
        """Whether it is one of Docker's three."""
        return self.name in PREDEFINED

    @property
    def interface(self) -> str:
        """The name of its bridge; interfaces have at most 15 letters."""
        return self.bridge or self.options.get(_BRIDGE_NAME) or f"mf-{self._own()[:12]}"

    @property
    def former_interface(self) -> str:
        """The name that earlier versions gave its bridge, whatever the store."""
        return self.options.get(_BRIDGE_NAME) or f"mf-{self.id[:12]}"

    def _own(self) -> str:
        return sha256(f"{self.store} {self.id}".encode()).hexdigest()

    @property
    def mtu(self) -> int:
        """The largest packet, in bytes."""
        return int(self.options.get(_MTU) or 1500)

    @property
    def masquerades(self) -> bool:
        """Whether packets that leave the host take its address."""
        return not self.internal and self.options.get(_MASQUERADE, "true") == "true"

    @property
    def host_address(self) -> str:
        """Where ports are published when nothing is said about it."""
        return self.options.get(_BINDING) or "0.0.0.0"


def store_of(root: str) -> str:
    """What the store whose definitions lie in `root` is called among others of the host."""
    return sha256(os.fsencode(root)).hexdigest()[:12]


def predefined(root: str, name: str) -> Network:
    """One of Docker's three networks, in the store whose definitions lie in `root`."""
    identity = sha256(b"network\0" + os.fsencode(root) + b"\0" + name.encode()).hexdigest()
    driver = PREDEFINED[name]
    return Network(id=identity, name=name, driver=driver, chosen=driver == "bridge", store=store_of(root))


def encode(network: Network) -> dict[str, Any]:
    """The JSON object that `decode` reads."""
    return {
        "Id": network.id,
        "Name": network.name,
        "Driver": network.driver,
        "Created": network.created,
        "Subnet": str(network.subnet) if network.subnet else None,
        "Gateway": str(network.gateway) if network.gateway else None,
        "IPRange": str(network.ip_range) if network.ip_range else None,
        "Chosen": network.chosen,
        "Internal": network.internal,
        "Attachable": network.attachable,
        "Labels": dict(network.labels),
        "Options": dict(network.options),
    }


def decode(value: Mapping[str, Any], store: str = "") -> Network:
    """The network of a store that `encode` wrote. Raises KeyError, ValueError for anything else."""
    return Network(
        id=value["Id"],
        name=value["Name"],
        driver=value["Driver"],
        created=value["Created"],
        subnet=ipaddress.IPv4Network(value["Subnet"]) if value["Subnet"] else None,
        gateway=ipaddress.IPv4Address(value["Gateway"]) if value["Gateway"] else None,
        ip_range=ipaddress.IPv4Network(value["IPRange"]) if value["IPRange"] else None,
        chosen=value["Chosen"],
        internal=value["Internal"],
        attachable=value["Attachable"],
        labels=value["Labels"],
        options=value["Options"],
        store=store,
    )
