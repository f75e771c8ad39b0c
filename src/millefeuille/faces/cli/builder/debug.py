"""`mille builder debug`, `mille build debug`."""

from __future__ import annotations

from millefeuille.engine.store import founded
from millefeuille.faces.cli.building.shells import opened
from millefeuille.faces.cli.command import Call, Command, Context, at_least


def run(context: Context, call: Call) -> int:
    """Open a shell, or run a command, in what a failed RUN left."""
    id, *arguments = call.arguments
    return opened(context, founded(context.settings), id, arguments=tuple(arguments))


COMMAND = Command(
    usage="ID [COMMAND] [ARG...]",
    arguments=at_least(1),
    run=run,
    interspersed=False,
)
