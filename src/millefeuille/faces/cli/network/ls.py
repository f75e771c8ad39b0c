"""`mille network ls`."""

from __future__ import annotations

from millefeuille.docker.filters import Filters
from millefeuille.docker.natural import natural
from millefeuille.docker.networkselection import listed
from millefeuille.docker.shapes.network import NETWORKS, network_row
from millefeuille.engine.networks import networks
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import FORMAT_TABLE_HELP, boolean, filters, string
from millefeuille.faces.cli.preferences import default_format
from millefeuille.faces.cli.rendered import render

FILTER = filters("filter", 'Provide filter values (e.g. "driver=bridge")', short="f")
FORMAT = string("format", FORMAT_TABLE_HELP)
NO_TRUNC = boolean("no-trunc", "Do not truncate the output")
QUIET = boolean("quiet", "Only display network IDs", short="q")


def run(context: Context, call: Call) -> int:
    """Print one line per network."""
    chosen = Filters.parse(f"{name}={value}" for name, value in call[FILTER])
    held = networks(context.settings)
    used = {end.network_id for lease in held.leases.every() for end in lease.endpoints}
    found = sorted(listed(held.every(), chosen, used), key=lambda network: natural(network.name))
    rows = [network_row(network, truncate=not call[NO_TRUNC]) for network in found]
    template = call[FORMAT] or ("" if call[QUIET] else default_format(context, "networksFormat"))
    if call[QUIET] and template in ("", "table"):
        for row in rows:
            context.terminal.line(row["ID"])
        return 0
    if call[QUIET] and template == "raw":
        template = "network_id: {{.ID}}"
    context.terminal.write(render(NETWORKS, rows, template))
    return 0


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        FILTER,
        FORMAT,
        NO_TRUNC,
        QUIET,
    ),
    run=run,
)
