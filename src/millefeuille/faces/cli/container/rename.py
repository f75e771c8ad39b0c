"""`mille container rename`."""

from __future__ import annotations

from millefeuille.containers import lifecycle, records
from millefeuille.engine.containers import host
from millefeuille.engine.store import open_store
from millefeuille.errors import MilleError
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal


def run(context: Context, call: Call) -> int:
    """Give a container another name."""
    old, new = (text.strip() for text in call.arguments)
    if not old or not new:
        raise Refusal("Error: Neither old nor new names may be empty")
    made = host(context.settings, open_store(context.settings))
    try:
        lifecycle.rename(made, records.find(made.store, made.place, old), new)
    except MilleError as error:
        exits.report(context.terminal, error)
        raise Refusal(f"Error: failed to rename container named {old}") from error
    return 0


COMMAND = Command(usage="CONTAINER NEW_NAME", arguments=exactly(2), run=run, complete="container")
