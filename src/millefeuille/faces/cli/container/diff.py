"""`mille container diff`."""

from __future__ import annotations

import os

from millefeuille.containers import records, written
from millefeuille.containers.diff import diff
from millefeuille.engine.place import place
from millefeuille.engine.snapshots import snapshotter
from millefeuille.engine.store import founded
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal


def run(context: Context, call: Call) -> int:
    """Print a line for each path of the container that is not as in its image."""
    name = call.arguments[0]
    if not name:
        raise Refusal("Container name cannot be empty")
    store = founded(context.settings)
    container = records.find(store, place(context.settings), name)
    snapshots = snapshotter(context.settings, store)
    snapshots.release_idle()
    with written.opened(snapshots, container) as changed:
        found = diff(changed)
    for letter, path in found:
        context.terminal.line(f"{letter} {os.fsdecode(path)}")
    return 0


COMMAND = Command(
    usage="CONTAINER",
    arguments=exactly(1),
    options=(),
    run=run,
    complete="container",
)
