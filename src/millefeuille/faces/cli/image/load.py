"""`mille image load`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import boolean, string

INPUT = string("input", "Read from tar archive file, instead of STDIN", short="i", complete="file")
PLATFORM = string(
    "platform",
    'Load only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
)
QUIET = boolean("quiet", "Suppress the load output", short="q")


def run(context: Context, call: Call) -> int:
    """Take in the images of an archive."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        INPUT,
        PLATFORM,
        QUIET,
    ),
    run=run,
)
