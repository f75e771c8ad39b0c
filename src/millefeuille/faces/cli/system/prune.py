"""`mille system prune`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from millefeuille.annotations import Final
from millefeuille.containers import prune as containerprune
from millefeuille.containers import records
from millefeuille.containers.records import DamagedRecord
from millefeuille.docker import containerselection, networkselection, volumeselection
from millefeuille.docker.selection import prunable
from millefeuille.docker.shapes.buildcache import Cached
from millefeuille.engine.containers import host
from millefeuille.engine.leftovers import clear, let_go
from millefeuille.engine.networks import networks
from millefeuille.engine.place import place
from millefeuille.engine.store import removing
from millefeuille.engine.users import users
from millefeuille.engine.volumes import reached
from millefeuille.engine.volumes import users_at_removal as volume_users
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.builder.pruning import Wish
from millefeuille.faces.cli.builder.pruning import freed as cache_freed
from millefeuille.faces.cli.builder.pruning import pruned as removed
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.image.prune import described, pruning_filters
from millefeuille.faces.cli.options import boolean, filters
from millefeuille.images.prune import prune
from millefeuille.store.journal import note_prune
from millefeuille.store.store import Store
from millefeuille.values import replace
from millefeuille.volumes.volume import Volume

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
    """Remove stopped containers, networks and images that nothing uses, and volumes where asked to."""
    if call[VOLUMES] and any(name == "until" for name, _ in call[FILTER]):
        raise Refusal('ERROR: The "until" filter is not supported with "--volumes"')
    settings, now = context.settings, time.time_ns()
    chosen = pruning_filters(settings, call[FILTER])
    containers, others = containerselection.prunable(chosen, now), networkselection.prunable(chosen, now)
    images = prunable(chosen, now)
    data = volumeselection.prunable(chosen)[0] if call[VOLUMES] else None
    if not call[FORCE] and not context.terminal.confirm(_question(call)):
        return 0
    store = removing(settings)
    if store is None:
        context.terminal.line("Total reclaimed space: 0B")
        return 0
    clear(settings, store)
    freed = 0
    # Each makes room for the next: a container holds its network, its volumes and its image.
    if records.every(store, place(settings)):
        stopped = containerprune.prune(host(settings, store), containers)
        _tell(context, "Containers", stopped.ids)
        freed += stopped.reclaimed
    else:
        note_prune(store.disk.journal, "container")
    _tell(context, "Networks", networks(settings).prune(others))
    size, code = _volumes(context, data) if data is not None else (0, 0)
    freed += size
    pruned = prune(store, users(settings), images, unused=call[ALL])
    cache = _cache(context, store, call, now)
    freed += cache_freed(cache)
    let_go(settings)
    text = described(replace(pruned, reclaimed=pruned.reclaimed + freed))
    head, total, rest = text.rpartition("Total reclaimed space")
    context.terminal.write(head)
    _tell(context, "build cache objects", [one.id for one in cache])
    context.terminal.write(total + rest)
    return code


def _volumes(context: Context, accepts: Callable[[Volume], bool]) -> tuple[int, int]:
    """Remove volumes; their bytes, and the exit code."""
    try:
        names, size = reached(context.settings).prune(volume_users(context.settings), accepts)
    except DamagedRecord as error:  # of a container that runs: it may have any of them
        return 0, exits.report(context.terminal, error)
    _tell(context, "Volumes", names)
    return size, 0


def _cache(context: Context, store: Store, call: Call, now: int) -> list[Cached]:
    """The build cache that goes: nothing of it has labels."""
    names = {name for name, _ in call[FILTER]}
    if names - {"until"}:
        note_prune(store.disk.journal, "builder")
        return []
    since = pruning_filters(context.settings, call[FILTER]).until(now)
    return removed(context.settings, store, Wish(every=call[ALL], since_ns=since))


def _tell(context: Context, kind: str, gone: Sequence[str]) -> None:
    if gone:
        context.terminal.write("".join(f"{line}\n" for line in (f"Deleted {kind}:", *gone, "")))


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
