"""`mille image inspect`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.options import FORMAT_HELP, string

FORMAT = string("format", FORMAT_HELP, short="f")
PLATFORM = string(
    "platform",
    "Inspect a specific platform of the multi-platform image.\n"
    "If the image or the server is not multi-platform capable, the command will error out if the platform"
    " does not match.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
)


def run(context: Context, call: Call) -> int:
    """Print what is known of each image."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS] IMAGE [IMAGE...]",
    arguments=at_least(1),
    options=(
        FORMAT,
        PLATFORM,
    ),
    run=run,
    complete="image",
)
