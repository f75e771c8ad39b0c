"""`mille inspect`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.options import FORMAT_HELP, boolean, string

FORMAT = string("format", FORMAT_HELP, short="f")
SIZE = boolean("size", "Display total file sizes if the type is container", short="s")
TYPE = string("type", "Only inspect objects of the given type")


def run(context: Context, call: Call) -> int:
    """Print what is known of each object."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS] NAME|ID [NAME|ID...]",
    arguments=at_least(1),
    options=(
        FORMAT,
        SIZE,
        TYPE,
    ),
    run=run,
    complete="image",
)
