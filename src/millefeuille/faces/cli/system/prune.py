"""`mille system prune`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import boolean, filters

ALL = boolean("all", "Remove all unused images not just dangling ones", short="a")
FILTER = filters("filter", 'Provide filter values (e.g. "label=<key>=<value>")')
FORCE = boolean("force", "Do not prompt for confirmation", short="f")
VOLUMES = boolean("volumes", "Prune anonymous volumes")


def run(context: Context, call: Call) -> int:
    """Remove all that nothing uses."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        ALL,
        FILTER,
        FORCE,
        VOLUMES,
    ),
    run=run,
)
