"""`mille network prune`."""

from __future__ import annotations

import time

from millefeuille.annotations import Final
from millefeuille.docker.networkselection import prunable
from millefeuille.engine.networks import networks
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.image.prune import pruning_filters
from millefeuille.faces.cli.options import boolean, filters

FILTER = filters("filter", 'Provide filter values (e.g. "until=<timestamp>")')
FORCE = boolean("force", "Do not prompt for confirmation", short="f")


_QUESTION: Final = (
    "WARNING! This will remove all custom networks not used by at least one container.\n"
    "Are you sure you want to continue?"
)


def run(context: Context, call: Call) -> int:
    """Remove the networks that nobody is on, after asking."""
    accepts = prunable(pruning_filters(context.settings, call[FILTER]), time.time_ns())
    if not call[FORCE] and not context.terminal.confirm(_QUESTION):
        return 0
    removed = networks(context.settings).prune(accepts)
    if removed:
        context.terminal.write("".join(f"{line}\n" for line in ("Deleted Networks:", *removed, "")))
    return 0


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        FILTER,
        FORCE,
    ),
    run=run,
)
