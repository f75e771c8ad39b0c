"""`mille container ls`."""

from __future__ import annotations

import contextlib
import importlib
import os
import time
from collections.abc import Sequence

from millefeuille.containers import records
from millefeuille.containers.place import Place
from millefeuille.docker.containerrecords import listed
from millefeuille.docker.filters import Filters
from millefeuille.docker.shapes.container_summary import (
    CONTAINER_COLUMNS_WITH_SIZE,
    CONTAINERS,
    Listed,
    blank_row,
    container_row,
    container_summary,
)
from millefeuille.engine.foreign import reach
from millefeuille.engine.networks import networks
from millefeuille.engine.place import place
from millefeuille.engine.store import existing
from millefeuille.errors import Invalid, MilleError
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import FORMAT_TABLE_HELP, boolean, filters, integer, string
from millefeuille.faces.cli.preferences import default_format
from millefeuille.faces.cli.rendered import render
from millefeuille.later import re

ALL = boolean("all", "Show all containers (default shows just running)", short="a")
FILTER = filters("filter", "Filter output based on conditions provided", short="f")
FORMAT = string("format", FORMAT_TABLE_HELP)
LAST = integer("last", "Show n last created containers (includes all states)", short="n", default=-1)
LATEST = boolean("latest", "Show the latest created container (includes all states)", short="l")
NO_TRUNC = boolean("no-trunc", "Don't truncate output")
QUIET = boolean("quiet", "Only display container IDs", short="q")
SIZE = boolean("size", "Display total file sizes", short="s")


def run(context: Context, call: Call) -> int:
    """Print one line for each container."""
    template = call[FORMAT]
    if template and call[QUIET]:
        context.terminal.complain(
            "WARNING: Ignoring custom format, because both --format and --quiet are set."
        )
    template = template or default_format(context, "psFormat")
    sized = call[SIZE] or (not call.given(SIZE) and not call[QUIET] and _asks_for_size(template))
    now = time.time()
    if "{{" in template:
        _try(template, now)
    summaries = [container_summary(one, now) for one in _selected(context, call, sized)]
    rows = [container_row(summary, now, truncate=not call[NO_TRUNC]) for summary in summaries]
    if call[QUIET]:
        label = "container_id: " if template == "raw" else ""
        for row in rows:
            context.terminal.line(f"{label}{row['ID']}")
        return 0
    columns = CONTAINER_COLUMNS_WITH_SIZE if call[SIZE] else None
    if template == "raw" and call[SIZE]:
        template = CONTAINERS.named["raw"] + "size: {{.Size}}\n"
    context.terminal.write(render(CONTAINERS, rows, template, columns))
    return 0


def _selected(context: Context, call: Call, sized: bool) -> list[Listed]:
    store = existing(context.settings)
    where, held = place(context.settings), networks(context.settings)
    if store is not None and sized:
        reach(store.disk.root, store.disk.snapshots)
    found = [] if store is None else listed(store, where, held, sized=sized)
    if store is not None and any(records.is_orphaned(where, one.container.id, one.state) for one in found):
        # What a monitor that was killed has left may still run, whatever the list says.
        importlib.import_module("millefeuille.engine.leftovers").clear(context.settings, store)
        found = listed(store, where, held, sized=sized)
    elif _has_idle_chain(where, found):
        with contextlib.suppress(MilleError, OSError):  # left to the next command
            importlib.import_module("millefeuille.engine.leftovers").let_go(context.settings)
    limit = 1 if call[LATEST] and call[LAST] == -1 else call[LAST]
    if not call[FILTER] and limit <= 0:
        return [one for one in found if call[ALL] or one.state.running]
    # Loaded by name, as all that a plain list does without.
    select = importlib.import_module("millefeuille.faces.cli.container.selected").selected
    texts = Filters.parse([f"{name}={value}" for name, value in call[FILTER]])
    chosen: list[Listed] = select(store, where, found, texts, all=call[ALL], limit=limit)
    return chosen


def _has_idle_chain(where: Place, found: Sequence[Listed]) -> bool:
    """Whether a chain is mounted that no running container uses; a build may, or one that just begins."""
    used = {one.container.chain.hex for one in found if one.container.chain and one.state.running}
    try:
        return not used.issuperset(name for name in os.listdir(f"{where.run}/chains") if name != "lock")
    except FileNotFoundError:
        return False


def _asks_for_size(template: str) -> bool:
    return re.search(r"\.Size\b|\bjson \.(?:\W|$)", template) is not None


def _try(template: str, now: float) -> None:
    """Hold that a format fits, whether or not there is anything to show, as Docker does. Raises Refusal."""
    formatted = importlib.import_module("millefeuille.docker.formatted")
    try:
        formatted.execute(formatted.parse(template), formatted.struct(CONTAINERS, blank_row(now)))
    except Invalid as error:
        said = str(error).removeprefix("template parsing error: ")
        verb = "execute" if "executing " in said else "parse"
        raise Refusal(f"failed to {verb} template: {said}") from error


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(ALL, FILTER, FORMAT, LAST, LATEST, NO_TRUNC, QUIET, SIZE),
    run=run,
)
