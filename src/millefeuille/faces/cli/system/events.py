"""`mille system events`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import FORMAT_HELP, filters, string

FILTER = filters("filter", "Filter output based on conditions provided", short="f")
FORMAT = string("format", FORMAT_HELP)
SINCE = string("since", "Show all events created since timestamp")
UNTIL = string("until", "Stream events until this timestamp")


def run(context: Context, call: Call) -> int:
    """Print what happened, and go on until stopped."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        FILTER,
        FORMAT,
        SINCE,
        UNTIL,
    ),
    run=run,
)
