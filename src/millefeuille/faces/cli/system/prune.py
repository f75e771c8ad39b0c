"""`mille system prune`."""

from __future__ import annotations

import time
from typing import Final

from millefeuille.docker.selection import prunable
from millefeuille.engine.store import existing
from millefeuille.engine.users import users
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.image.prune import described, pruning_filters
from millefeuille.faces.cli.options import boolean, filters
from millefeuille.images.prune import Pruned, prune

ALL = boolean("all", "Remove all unused images not just dangling ones", short="a")
FILTER = filters("filter", 'Provide filter values (e.g. "label=<key>=<value>")')
FORCE = boolean("force", "Do not prompt for confirmation", short="f")
VOLUMES = boolean("volumes", "Prune anonymous volumes")


_FIRST: Final = ("all stopped containers", "all networks not used by at least one container")
_VOLUMES: Final = ("all anonymous volumes not used by at least one container",)
_DANGLING: Final = "all dangling images"
_CACHE: Final = "unused build cache"
_ALL_CACHE: Final = "all build cache"


def run(context: Context, call: Call) -> int:
    """Remove the images that nothing uses; there are no other objects that could be unused yet."""
    if call[VOLUMES] and any(name == "until" for name, _ in call[FILTER]):
        raise Refusal('ERROR: The "until" filter is not supported with "--volumes"')
    filters = pruning_filters(context.settings, call[FILTER])
    accepts = prunable(filters, time.time_ns())
    if not call[FORCE] and not context.terminal.confirm(_question(call)):
        return 0
    store = existing(context.settings)
    pruned = Pruned(candidates=(), acts=(), reclaimed=0, orphans=0)
    if store is not None:
        pruned = prune(store, users(context.settings), accepts, unused=call[ALL])
    context.terminal.write(described(pruned))
    return 0


def _question(call: Call) -> str:
    images = "all images without at least one container associated to them" if call[ALL] else _DANGLING
    lines = [*_FIRST, *(_VOLUMES if call[VOLUMES] else ()), images, _ALL_CACHE if call[ALL] else _CACHE]
    listed = "".join(f"  - {line}\n" for line in lines)
    chosen = "".join(f"  - {name}={value}\n" for name, value in call[FILTER])
    filtered = f"\n  Items to be pruned will be filtered with:\n{chosen}" if chosen else ""
    return f"WARNING! This will remove:\n{listed}{filtered}\nAre you sure you want to continue?"


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
