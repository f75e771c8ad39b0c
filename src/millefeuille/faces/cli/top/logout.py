"""`mille logout`."""

from __future__ import annotations

from millefeuille.engine.registries import credentials
from millefeuille.errors import MilleError
from millefeuille.faces.cli.command import Call, Command, Context, at_most
from millefeuille.faces.cli.top.server import Server


def run(context: Context, call: Call) -> int:
    """Forget the credentials for a registry; that there were none is no error, as in Docker."""
    server = Server.parse(call.arguments[0] if call.arguments else "")
    context.terminal.line(f"Removing login credentials for {server.shown}")
    try:
        credentials(context.settings).erase(server.registry)
    except MilleError as error:
        context.terminal.complain(f"WARNING: could not erase credentials:\n{server.shown}: {error}")
    return 0


COMMAND = Command(
    usage="[SERVER]",
    arguments=at_most(1),
    run=run,
    details="Log out from a registry.\nIf no server is specified, the default is Docker Hub.",
)
