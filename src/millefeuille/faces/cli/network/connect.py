"""`mille network connect`."""

from __future__ import annotations

import ipaddress

from millefeuille.annotations import Any, Final
from millefeuille.containers import plugging, records
from millefeuille.engine.networks import networks
from millefeuille.engine.place import place
from millefeuille.engine.store import open_store
from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import Option, integer, repeated, string, strings

ALIAS = strings("alias", "Add network-scoped alias for the container")
DRIVER_OPT = strings("driver-opt", "driver options for the network")
GW_PRIORITY = integer(
    "gw-priority",
    "Highest gw-priority provides the default gateway. Accepts positive and negative values.",
)
IP = string("ip", 'IPv4 address (e.g., "172.30.100.104")')
IP6 = string("ip6", 'IPv6 address (e.g., "2001:db8::33")')
LINK = repeated("link", "Add link to another container")
LINK_LOCAL_IP = strings("link-local-ip", "Add a link-local address for the container")

_MISSING: Final[tuple[Option[Any], ...]] = (DRIVER_OPT, IP6, LINK, LINK_LOCAL_IP)


def run(context: Context, call: Call) -> int:
    """Connect a container to one more network."""
    for option in _MISSING:
        if call[option]:
            raise Unsupported(f"--{option.name} is not supported")
    network, name = call.arguments
    settings = context.settings
    where = place(settings)
    container = records.find(open_store(settings), where, name)
    plugging.plug(where, networks(settings), container, network, _wish(call))
    return 0


def _wish(call: Call) -> dict[str, Any]:
    """Docker's EndpointSettings."""
    wish: dict[str, Any] = {}
    aliases = call[ALIAS]
    if aliases:
        wish["Aliases"] = list(aliases)
    if call[GW_PRIORITY]:
        wish["GwPriority"] = call[GW_PRIORITY]
    if call[IP]:
        try:
            ipaddress.IPv4Address(call[IP])
        except ValueError as error:
            raise Refusal(f"invalid IPv4 address: {call[IP]}") from error
        wish["IPAMConfig"] = {"IPv4Address": call[IP]}
    return wish


COMMAND = Command(
    usage="[OPTIONS] NETWORK CONTAINER",
    arguments=exactly(2),
    options=(
        ALIAS,
        DRIVER_OPT,
        GW_PRIORITY,
        IP,
        IP6,
        LINK,
        LINK_LOCAL_IP,
    ),
    run=run,
)
