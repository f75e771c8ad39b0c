"""`mille dive help`."""

from __future__ import annotations

from millefeuille.faces.cli import catalogue, usage
from millefeuille.faces.cli.analyze.dive import FAILED
from millefeuille.faces.cli.command import Call, Command, Context, at_most
from millefeuille.faces.cli.commands import Row
from millefeuille.faces.cli.exits import Refusal


def run(context: Context, call: Call) -> int:
    """Print the help of `mille dive`, or of a command below it."""
    name = " ".join(("dive", *call.arguments))
    row = catalogue.find(name)
    if not isinstance(row, Row):
        raise Refusal(f"unknown help topic: {call.arguments[0]}")
    path = f"{usage.PROGRAM} {name}"
    context.terminal.line(usage.command_help(path, row, catalogue.load(row), context.terminal.width))
    return 0


COMMAND = Command(usage="[COMMAND]", arguments=at_most(1), run=run, failure=FAILED)
