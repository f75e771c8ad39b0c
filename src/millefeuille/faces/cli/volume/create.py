"""`mille volume create`."""

from __future__ import annotations

from millefeuille.docker.creation.pairs import label
from millefeuille.engine.store import founded
from millefeuille.engine.volumes import volumes
from millefeuille.faces.cli.command import Call, Command, Context, at_most
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import Option, string
from millefeuille.faces.cli.pairs import mapping, pairs
from millefeuille.faces.cli.typed import checked
from millefeuille.faces.cli.values import read_string

DRIVER = string("driver", "Specify volume driver name", short="d", default="local")
LABEL = checked("label", "Set metadata for a volume", label)
NAME = Option(
    name="name",
    help="Specify volume name",
    short="",
    shape="string",
    default="",
    read=read_string,
    hidden=True,
)
OPT = mapping("opt", "Set driver specific options", short="o")


def run(context: Context, call: Call) -> int:
    """Make a volume, and print its name."""
    name = call[NAME]
    if call.arguments:
        if name:
            raise Refusal(
                "conflicting options: cannot specify a volume-name through both --name and as a positional"
                " arg"
            )
        name = call.arguments[0]
    founded(context.settings)
    made = volumes(context.settings).create(
        name,
        driver=call[DRIVER],
        labels=pairs(call[LABEL]) or None,
        options=pairs(call[OPT]),
    )
    context.terminal.line(made.name)
    return 0


COMMAND = Command(
    usage="[OPTIONS] [VOLUME]",
    arguments=at_most(1),
    options=(
        DRIVER,
        LABEL,
        NAME,
        OPT,
    ),
    run=run,
)
