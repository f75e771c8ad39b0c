"""`mille container run`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.options import boolean

REMOVE = boolean(
    "rm", "Automatically remove the container and its associated anonymous volumes when it exits"
)


def run(context: Context, call: Call) -> int:
    """Make a container from an image and wait for its end."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS] IMAGE [COMMAND] [ARG...]",
    arguments=at_least(1),
    options=(REMOVE,),
    run=run,
    complete="image",
    interspersed=False,
)
