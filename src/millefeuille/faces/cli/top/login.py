"""`mille login`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, at_most
from millefeuille.faces.cli.options import boolean, string

PASSWORD = string("password", "Password or Personal Access Token (PAT)", short="p")
PASSWORD_STDIN = boolean("password-stdin", "Take the Password or Personal Access Token (PAT) from stdin")
USERNAME = string("username", "Username", short="u")


def run(context: Context, call: Call) -> int:
    """Try credentials at a registry and keep them."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS] [SERVER]",
    arguments=at_most(1),
    options=(
        PASSWORD,
        PASSWORD_STDIN,
        USERNAME,
    ),
    run=run,
    details="Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.",
)
