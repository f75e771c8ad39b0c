"""Making: a new network from what is asked for it.

Source: moby v28.2.2, api/types/network/ipam.go and libnetwork/drivers/bridge.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from millefeuille.annotations import Final
from millefeuille.errors import Conflict, Denied, Invalid, Unsupported
from millefeuille.later import ipaddress
from millefeuille.networks import pools
from millefeuille.networks.network import OPTIONS, PREDEFINED, Network
from millefeuille.values import dataclass, field

_ICC: Final = "com.docker.network.bridge.enable_icc"
_BRIDGE_NAME: Final = "com.docker.network.bridge.name"
_LONGEST_NAME: Final = 15  # of an interface
_DIGITS: Final = 9  # at most, of an MTU that can be right


class PredefinedNetwork(Denied):
    """Docker's three networks are neither made nor removed; the message is Docker's."""


class OneInstance(Conflict):
    """There is one host network, and one none; the message is Docker's."""


class BadNetwork(Invalid):
    """A network cannot be as asked for."""


class NetworkUnsupported(Unsupported):
    """A network of a kind that Docker has and we have not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A network to be made; the texts are as given, "" for what was not."""

    name: str
    driver: str = "bridge"
    subnet: str = ""
    gateway: str = ""
    ip_range: str = ""
    internal: bool = False
    attachable: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)


def make(order: Order) -> Network:
    """The network that is asked for, with a new ID; without a subnet when none is given.

    Raises PredefinedNetwork, OneInstance, BadNetwork, NetworkUnsupported.
    """
    _check(order)
    subnet = _subnet(order.subnet) if order.subnet else None
    return Network(
        id=os.urandom(32).hex(),
        name=order.name,
        created=_now(),
        subnet=subnet,
        gateway=_gateway(order, subnet),
        ip_range=_range(order, subnet),
        chosen=subnet is None,
        internal=order.internal,
        attachable=order.attachable,
        labels=dict(order.labels),
        options=dict(order.options),
    )


def _check(order: Order) -> None:
    if order.name in PREDEFINED:
        raise PredefinedNetwork(f"operation is not permitted on predefined {order.name} network")
    if not order.name.strip():
        raise BadNetwork("invalid name: name is empty")
    if order.driver in ("host", "null"):
        raise OneInstance(f'only one instance of "{order.driver}" network is allowed')
    if order.driver in ("ipvlan", "macvlan", "overlay"):
        raise NetworkUnsupported(f"networks of driver {order.driver} are not supported")
    if order.driver != "bridge":
        raise BadNetwork(f'plugin "{order.driver}" not found')
    for name, value in order.options.items():
        if (name, value) == (_ICC, "true"):
            continue
        if name not in OPTIONS:
            raise NetworkUnsupported(f"option {name}={value} of a bridge network is not supported")
    _check_values(order.options)


def _check_values(options: Mapping[str, str]) -> None:
    name = options.get(_BRIDGE_NAME, "")
    if len(name) > _LONGEST_NAME or "/" in name or name in (".", "..") or any(map(str.isspace, name)):
        raise BadNetwork(f"{name}: not the name of an interface")
    mtu = options.get("com.docker.network.driver.mtu", "1500")
    if not mtu.isdecimal() or len(mtu) > _DIGITS or not 68 <= int(mtu) <= 65535:
        raise BadNetwork(f"invalid MTU: {mtu}")
    if options.get("com.docker.network.bridge.enable_ip_masquerade", "true") not in ("true", "false"):
        raise BadNetwork("com.docker.network.bridge.enable_ip_masquerade is true or false")
    address = options.get("com.docker.network.bridge.host_binding_ipv4", "0.0.0.0")
    try:
        ipaddress.IPv4Address(address)
    except ValueError as error:
        raise BadNetwork(f"invalid host binding address: {address}") from error


def _subnet(text: str) -> ipaddress.IPv4Network:
    if ":" in text:
        raise NetworkUnsupported(f"IPv6 subnets are not supported: {text}")
    try:
        subnet = ipaddress.IPv4Network(text, strict=False) if "/" in text else None
    except ValueError:
        subnet = None
    if subnet is None:
        raise BadNetwork(f"Invalid subnet {text} : invalid CIDR address: {text}")
    if subnet.prefixlen > 30:
        raise BadNetwork(f"subnet {text} has no room for containers")
    return subnet


def _gateway(order: Order, subnet: ipaddress.IPv4Network | None) -> ipaddress.IPv4Address | None:
    if subnet is None:
        return None
    if not order.gateway:
        return pools.first(subnet)
    try:
        gateway = ipaddress.IPv4Address(order.gateway)
    except ValueError as error:
        raise BadNetwork(f"invalid gateway address: {order.gateway}") from error
    if gateway in (subnet.network_address, subnet.broadcast_address):
        raise BadNetwork(f"failed to allocate gateway ({gateway}): Address already in use")
    return gateway


def _range(order: Order, subnet: ipaddress.IPv4Network | None) -> ipaddress.IPv4Network | None:
    if not order.ip_range or subnet is None:
        return None
    try:
        found = ipaddress.IPv4Network(order.ip_range, strict=False)
    except ValueError as error:
        raise BadNetwork(f"invalid ip-range {order.ip_range}") from error
    if not found.subnet_of(subnet):
        raise BadNetwork(f"invalid ip-range {order.ip_range}: it is not part of the subnet {subnet}")
    return found


def _now() -> str:
    now = time.time_ns()
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 1_000_000_000))
    return f"{whole}.{now % 1_000_000_000:09d}Z"
