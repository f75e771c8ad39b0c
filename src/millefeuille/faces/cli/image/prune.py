"""`mille image prune`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import boolean, filters

ALL = boolean("all", "Remove all unused images, not just dangling ones", short="a")
DRY_RUN = boolean("dry-run", "Show what would be removed and why, and remove nothing")
FILTER = filters("filter", 'Provide filter values (e.g. "until=<timestamp>")')
FORCE = boolean("force", "Do not prompt for confirmation", short="f")


def run(context: Context, call: Call) -> int:
    """Remove the images that nothing uses."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        ALL,
        DRY_RUN,
        FILTER,
        FORCE,
    ),
    run=run,
)
