"""`mille image rm`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.options import boolean, strings

FORCE = boolean("force", "Force removal of the image", short="f")
NO_PRUNE = boolean("no-prune", "Do not delete untagged parents")
PLATFORM = strings(
    "platform",
    'Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
)


def run(context: Context, call: Call) -> int:
    """Untag and delete each image; go on after one that cannot be."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS] IMAGE [IMAGE...]",
    arguments=at_least(1),
    options=(
        FORCE,
        NO_PRUNE,
        PLATFORM,
    ),
    run=run,
    complete="image",
)
