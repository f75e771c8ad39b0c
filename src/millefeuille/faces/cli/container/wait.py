"""`mille container wait`."""

from __future__ import annotations

from millefeuille.containers import lifecycle, records
from millefeuille.engine.containers import host
from millefeuille.engine.store import open_store
from millefeuille.errors import MilleError
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least


def run(context: Context, call: Call) -> int:
    """Wait for the ends of containers; their exit codes on standard output."""
    made = host(context.settings, open_store(context.settings))
    code = 0
    for text in call.arguments:
        try:
            context.terminal.line(str(lifecycle.wait(made, records.find(made.store, made.place, text))))
        except MilleError as error:
            code = exits.report(context.terminal, error)
    return code


COMMAND = Command(usage="CONTAINER [CONTAINER...]", arguments=at_least(1), run=run, complete="container")
