"""`mille container create`."""

from __future__ import annotations

from millefeuille.engine.containers import host
from millefeuille.engine.store import founded
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.container import creation_flags as flags
from millefeuille.faces.cli.container import making
from millefeuille.faces.cli.container.creation import wanted
from millefeuille.faces.cli.exits import USAGE, Refusal


def run(context: Context, call: Call) -> int:
    """Make a container without starting it; its ID on standard output."""
    try:
        asked = wanted(context, call, flags.PULL_TO_CREATE)
    except Refusal as error:
        if error.code == USAGE:
            hint = "\n\nRun 'mille create --help' for more information"
            raise Refusal(f"mille: {error}{hint}", code=USAGE) from error
        raise
    for line in asked.warnings:
        context.terminal.complain(line)
    store = founded(context.settings)
    made = host(context.settings, store)
    with making.id_file(asked.cidfile) as note:
        container = making.make(context, made, store, asked)
        note(container.id)
    context.terminal.line(container.id)
    return 0


COMMAND = Command(
    usage="[OPTIONS] IMAGE [COMMAND] [ARG...]",
    arguments=at_least(1),
    options=flags.CREATE_OPTIONS,
    run=run,
    complete="image",
    interspersed=False,
)
