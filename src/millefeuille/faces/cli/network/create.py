"""`mille network create`."""

from __future__ import annotations

import ipaddress

from millefeuille.annotations import Any, Final
from millefeuille.docker.creation.pairs import label
from millefeuille.engine.networks import networks
from millefeuille.engine.store import founded
from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import Option, boolean, string, strings
from millefeuille.faces.cli.pairs import mapping, pairs
from millefeuille.faces.cli.typed import checked
from millefeuille.networks.making import Order

Texts = tuple[str, ...]

ATTACHABLE = boolean("attachable", "Enable manual container attachment")
AUX_ADDRESS = mapping("aux-address", "Auxiliary IPv4 or IPv6 addresses used by Network driver")
CONFIG_FROM = string("config-from", "The network from which to copy the configuration")
CONFIG_ONLY = boolean("config-only", "Create a configuration only network")
DRIVER = string("driver", "Driver to manage the Network", short="d", default="bridge")
GATEWAY = strings("gateway", "IPv4 or IPv6 Gateway for the master subnet")
INGRESS = boolean("ingress", "Create swarm routing-mesh network")
INTERNAL = boolean("internal", "Restrict external access to the network")
IP_RANGE = strings("ip-range", "Allocate container ip from a sub-range")
IPAM_DRIVER = string("ipam-driver", "IP Address Management Driver", default="default")
IPAM_OPT = mapping("ipam-opt", "Set IPAM driver specific options")
IPV4 = boolean("ipv4", "Enable or disable IPv4 address assignment", default=True)
IPV6 = boolean("ipv6", "Enable or disable IPv6 address assignment")
LABEL = checked("label", "Set metadata on a network", label)
OPT = mapping("opt", "Set driver specific options", short="o")
SCOPE = string("scope", "Control the network's scope")
SUBNET = strings("subnet", "Subnet in CIDR format that represents a network segment")

_MISSING: Final[tuple[Option[Any], ...]] = (
    AUX_ADDRESS, CONFIG_FROM, CONFIG_ONLY, INGRESS, IPAM_OPT, IPV6,
)  # fmt: skip


def run(context: Context, call: Call) -> int:
    """Make a network, and print its ID."""
    _refuse_missing(call)
    _check_parts(call[SUBNET], call[IP_RANGE], call[GATEWAY])
    order = Order(
        name=call.arguments[0],
        driver=call[DRIVER],
        subnet=_first(call[SUBNET]),
        gateway=_first(call[GATEWAY]),
        ip_range=_first(call[IP_RANGE]),
        internal=call[INTERNAL],
        attachable=call[ATTACHABLE],
        labels=pairs(call[LABEL]),
        options=pairs(call[OPT]),
    )
    founded(context.settings)
    context.terminal.line(networks(context.settings).create(order).id)
    return 0


def _refuse_missing(call: Call) -> None:
    for option in _MISSING:
        if call[option]:
            raise Unsupported(f"--{option.name} is not supported")
    if not call[IPV4]:
        raise Unsupported("networks without IPv4 are not supported")
    if call[IPAM_DRIVER] != "default":
        raise Unsupported(f"--ipam-driver {call[IPAM_DRIVER]} is not supported")
    if call[SCOPE] not in ("", "local"):
        raise Unsupported(f"--scope {call[SCOPE]} is not supported")


def _check_parts(subnets: Texts, ranges: Texts, gateways: Texts) -> None:
    """What Docker's client holds of these before it asks. Raises Refusal, Unsupported."""
    if len(subnets) < max(len(ranges), len(gateways)):
        raise Refusal("every ip-range or gateway must have a corresponding subnet")
    if len(subnets) > 1:
        raise Unsupported("networks with several subnets are not supported")
    for subnet in subnets:
        for text, what in (*((text, "range") for text in ranges), *((text, "gateway") for text in gateways)):
            if not _within(text, subnet):
                raise Refusal(f"no matching subnet for {what} {text}")


def _first(texts: Texts) -> str:
    return texts[0] if texts else ""


def _within(text: str, subnet: str) -> bool:
    """Whether an address or range lies in a subnet; what is neither is the engine's to refuse."""
    try:
        outer = ipaddress.ip_network(subnet, strict=False)
        return ipaddress.ip_address(text.partition("/")[0]) in outer
    except ValueError:
        return True


COMMAND = Command(
    usage="[OPTIONS] NETWORK",
    arguments=exactly(1),
    options=(
        ATTACHABLE, AUX_ADDRESS, CONFIG_FROM, CONFIG_ONLY, DRIVER, GATEWAY, INGRESS, INTERNAL, IP_RANGE,
        IPAM_DRIVER, IPAM_OPT, IPV4, IPV6, LABEL, OPT, SCOPE, SUBNET,
    ),
    run=run,
)  # fmt: skip
