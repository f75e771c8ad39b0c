"""`mille system info`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import FORMAT_HELP, string

FORMAT = string("format", FORMAT_HELP, short="f")


def run(context: Context, call: Call) -> int:
    """Print what this engine and this host are."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(FORMAT,),
    run=run,
)
