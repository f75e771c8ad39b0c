"""`mille container prune`."""

from __future__ import annotations

import time

from millefeuille.annotations import Final
from millefeuille.containers.prune import Pruned, prune
from millefeuille.docker.containerselection import prunable
from millefeuille.docker.units import human_size
from millefeuille.engine.containers import host
from millefeuille.engine.store import existing
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.image.prune import pruning_filters
from millefeuille.faces.cli.options import boolean, filters

FILTER = filters("filter", 'Provide filter values (e.g. "until=<timestamp>")')
FORCE = boolean("force", "Do not prompt for confirmation", short="f")

_QUESTION: Final = "WARNING! This will remove all stopped containers.\nAre you sure you want to continue?"


def run(context: Context, call: Call) -> int:
    """Remove the containers that do not run, after asking."""
    chosen = pruning_filters(context.settings, call[FILTER])
    if not call[FORCE] and not context.terminal.confirm(_QUESTION):
        return 0
    accepts = prunable(chosen, time.time_ns())
    store = existing(context.settings)
    pruned = Pruned() if store is None else prune(host(context.settings, store), accepts)
    if pruned.ids:
        context.terminal.line("\n".join(("Deleted Containers:", *pruned.ids, "")))
    context.terminal.line(f"Total reclaimed space: {human_size(pruned.reclaimed)}")
    return 0


COMMAND = Command(usage="[OPTIONS]", arguments=exactly(0), options=(FILTER, FORCE), run=run)
