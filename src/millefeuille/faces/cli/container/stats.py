"""`mille container stats`."""

from __future__ import annotations

import os
import time

from millefeuille.annotations import Final
from millefeuille.containers import records
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.docker.shapes.consumption import STATS, interval, stats_row
from millefeuille.engine.place import place
from millefeuille.engine.store import open_store
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.options import FORMAT_TABLE_HELP, boolean, string
from millefeuille.faces.cli.preferences import default_format
from millefeuille.faces.cli.rendered import render
from millefeuille.runtime.usage import Usage, usage
from millefeuille.store.store import Store

ALL = boolean("all", "Show all containers (default shows just running)", short="a")
FORMAT = string("format", FORMAT_TABLE_HELP)
NO_STREAM = boolean("no-stream", "Disable streaming stats and only pull the first result")
NO_TRUNC = boolean("no-trunc", "Do not truncate output")

_PAUSE: Final = 1.0  # seconds between two looks
# What a terminal is told: go to the corner, clear the rest of a line, clear the rest of the screen.
_HOME, _LINE, _REST = "\033[H", "\033[K", "\033[J"

Sample = tuple[int, dict[str, Usage | None]]


def run(context: Context, call: Call) -> int:
    """Print what containers consume, again every second until interrupted, or only once."""
    store, where = open_store(context.settings), place(context.settings)
    template = call[FORMAT] or default_format(context, "statsFormat")
    shown = _shown(call, store, where)
    before = _sample(where, shown)
    while True:
        time.sleep(_PAUSE if shown or not call[NO_STREAM] else 0)
        after = _sample(where, shown)
        text = _text(call, shown, before, after, template)
        if call[NO_STREAM]:
            context.terminal.write(text)
            return 0
        cleared = "".join(f"{line}{_LINE}\n" for line in text.splitlines())
        context.terminal.write(f"{_HOME}{cleared}{_REST}")
        context.terminal.flush()
        before = after
        if not call.arguments:
            shown = _shown(call, store, where)


def _shown(call: Call, store: Store, where: Place) -> list[tuple[str, Container]]:
    if call.arguments:
        return [(text, records.find(store, where, text)) for text in call.arguments]
    found = records.every(store, where)
    return [
        (container.short, container) for container in found
        if call[ALL] or records.state(where, container.id).running
    ]  # fmt: skip


def _sample(where: Place, shown: list[tuple[str, Container]]) -> Sample:
    return time.monotonic_ns(), {container.id: _look(where, container) for _, container in shown}


def _look(where: Place, container: Container) -> Usage | None:
    told = records.state(where, container.id)
    return usage(told.pid, container.id) if told.running and told.pid else None


def _text(
    call: Call, shown: list[tuple[str, Container]], before: Sample, after: Sample, template: str
) -> str:
    elapsed = after[0] - before[0]
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    rows = []
    for called, container in shown:
        id = container.id
        told = interval(before[1].get(id), after[1].get(id), elapsed, total)
        # On the host's network the counters are the host's.
        own = container.host_config.get("NetworkMode") != "host"
        rows.append(stats_row(called, id, container.name, told, truncate=not call[NO_TRUNC], network=own))
    return render(STATS, rows, template)


COMMAND = Command(
    usage="[OPTIONS] [CONTAINER...]",
    arguments=at_least(0),
    options=(ALL, FORMAT, NO_STREAM, NO_TRUNC),
    run=run,
    complete="container",
)
