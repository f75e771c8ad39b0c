"""`mille builder prune`."""

from __future__ import annotations

import time

from millefeuille.annotations import Final
from millefeuille.docker.creation.quantities import memory
from millefeuille.docker.units import human_size
from millefeuille.engine.leftovers import clear
from millefeuille.engine.store import removing
from millefeuille.errors import MilleError
from millefeuille.faces.cli.builder.pruning import Wish, freed, pruned
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import boolean, filters, string
from millefeuille.faces.cli.values import Pairs, read_duration

ALL = boolean("all", "Remove all unused build cache, not just dangling ones", short="a")
FILTER = filters("filter", 'Provide filter values (e.g. "until=24h")')
FORCE = boolean("force", "Do not prompt for confirmation", short="f")
KEEP_STORAGE = string("keep-storage", "Amount of disk space to keep for cache")

_QUESTION: Final = "WARNING! This will remove {} build cache. Are you sure you want to continue?"
_FILTERS: Final = ("until", "unused-for", "type", "id")


def run(context: Context, call: Call) -> int:
    """Remove steps, those used longest ago first, cache mounts and what failed steps left, after asking."""
    wanted = _filters(call)
    what = "all" if call[ALL] else "all dangling"
    if not call[FORCE] and not context.terminal.confirm(_QUESTION.format(what)):
        return 0
    store = removing(context.settings)
    if store is not None:
        clear(context.settings, store)
    wish = Wish(
        every=call[ALL], since_ns=_since(wanted), room=_room(call), kind=wanted.get("type", ""),
        id=wanted.get("id", ""),
    )  # fmt: skip
    gone = pruned(context.settings, store, wish) if store is not None else []
    if gone:
        context.terminal.line("Deleted build cache objects:")
        context.terminal.write("".join(f"{one.id}\n" for one in gone))
        context.terminal.line()
    context.terminal.line(f"Total reclaimed space: {human_size(freed(gone))}")
    return 0


def _filters(call: Call) -> dict[str, str]:
    given: Pairs = call[FILTER]
    found = dict(given)
    for name in found:
        if name not in _FILTERS:
            raise Refusal(f"invalid filter '{name}'")
    return found


def _since(wanted: dict[str, str]) -> int | None:
    """What was used after this moment stays."""
    text = wanted.get("until") or wanted.get("unused-for")
    if not text:
        return None
    try:
        return time.time_ns() - int(read_duration(text, 0.0) * 1e9)
    except ValueError as error:
        raise Refusal(f"invalid filter 'until={text}': {error}") from error


def _room(call: Call) -> int | None:
    if not call[KEEP_STORAGE]:
        return None
    try:
        return memory(call[KEEP_STORAGE])
    except (ValueError, MilleError) as error:
        raise Refusal(f"invalid --keep-storage: {error}") from error


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(ALL, FILTER, FORCE, KEEP_STORAGE),
    run=run,
)
