"""`mille search`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import boolean, filters, integer, string

FILTER = filters("filter", "Filter output based on conditions provided", short="f")
FORMAT = string("format", "Pretty-print search using a Go template")
LIMIT = integer("limit", "Max number of search results")
NO_TRUNC = boolean("no-trunc", "Don't truncate output")


def run(context: Context, call: Call) -> int:
    """Ask Docker Hub for images."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS] TERM",
    arguments=exactly(1),
    options=(
        FILTER,
        FORMAT,
        LIMIT,
        NO_TRUNC,
    ),
    run=run,
)
