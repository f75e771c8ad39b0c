"""`mille logout`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, at_most


def run(context: Context, call: Call) -> int:
    """Forget the credentials for a registry."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[SERVER]",
    arguments=at_most(1),
    run=run,
    details="Log out from a registry.\nIf no server is specified, the default is Docker Hub.",
)
