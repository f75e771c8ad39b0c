"""`mille image tag`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, exactly


def run(context: Context, call: Call) -> int:
    """Give an image one more name."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    arguments=exactly(2),
    run=run,
    complete="image",
)
