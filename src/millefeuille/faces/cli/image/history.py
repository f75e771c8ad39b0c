"""`mille image history`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import FORMAT_TABLE_HELP, boolean, string

FORMAT = string("format", FORMAT_TABLE_HELP)
HUMAN = boolean("human", "Print sizes and dates in human readable format", short="H", default=True)
NO_TRUNC = boolean("no-trunc", "Don't truncate output")
PLATFORM = string(
    "platform",
    'Show history for the given platform. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
)
QUIET = boolean("quiet", "Only show image IDs", short="q")


def run(context: Context, call: Call) -> int:
    """Print how the image came to be, newest step first."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS] IMAGE",
    arguments=exactly(1),
    options=(
        FORMAT,
        HUMAN,
        NO_TRUNC,
        PLATFORM,
        QUIET,
    ),
    run=run,
    complete="image",
)
