"""`mille network rm`."""

from __future__ import annotations

from millefeuille.engine.networks import networks
from millefeuille.errors import MilleError, NotFound
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.options import boolean

FORCE = boolean("force", "Do not error if the network does not exist", short="f")


def run(context: Context, call: Call) -> int:
    """Remove each network in turn; a failing one does not stop the rest."""
    code = 0
    held = networks(context.settings)
    for text in call.arguments:
        try:
            held.get(text)  # before anything is made: there may be no store
            held.remove(text)
        except NotFound as error:
            if not call[FORCE]:
                code = exits.report(context.terminal, error)
        except MilleError as error:
            code = exits.report(context.terminal, error)
        else:
            context.terminal.line(text)
    return code


COMMAND = Command(usage="[OPTIONS] NETWORK [NETWORK...]", arguments=at_least(1), options=(FORCE,), run=run)
