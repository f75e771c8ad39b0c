"""`mille system df`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import FORMAT_TABLE_HELP, boolean, string

FORMAT = string("format", FORMAT_TABLE_HELP)
VERBOSE = boolean("verbose", "Show detailed information on space usage", short="v")


def run(context: Context, call: Call) -> int:
    """Print what uses the disk."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        FORMAT,
        VERBOSE,
    ),
    run=run,
)
