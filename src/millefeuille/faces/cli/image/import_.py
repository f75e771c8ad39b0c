"""`mille image import`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.options import repeated, string

CHANGE = repeated("change", "Apply Dockerfile instruction to the created image", short="c")
MESSAGE = string("message", "Set commit message for imported image", short="m")
PLATFORM = string("platform", "Set platform if server is multi-platform capable")


def run(context: Context, call: Call) -> int:
    """Make an image of one layer from a tar archive of files."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
    arguments=at_least(1),
    options=(
        CHANGE,
        MESSAGE,
        PLATFORM,
    ),
    run=run,
    complete="file",
)
