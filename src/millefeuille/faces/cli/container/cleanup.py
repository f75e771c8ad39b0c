"""`mille container cleanup`: the last thing a monitor calls for a container that has ended."""

from __future__ import annotations

from millefeuille.containers.sweep import tidy
from millefeuille.engine.containers import host
from millefeuille.engine.store import founded
from millefeuille.faces.cli.command import Call, Command, Context, exactly


def run(context: Context, call: Call) -> int:
    """Give back what the container had of the host; remove it if it was to go at its end."""
    made = host(context.settings, founded(context.settings), swept=False)
    tidy(made, call.arguments[0])
    made.snapshots.release_idle()
    return 0


COMMAND = Command(usage="CONTAINER", arguments=exactly(1), run=run)
