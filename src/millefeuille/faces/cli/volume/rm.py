"""`mille volume rm`."""

from __future__ import annotations

from millefeuille.engine.volumes import reached, users_at_removal
from millefeuille.errors import MilleError, NotFound
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.options import boolean

FORCE = boolean("force", "Force the removal of one or more volumes", short="f")


def run(context: Context, call: Call) -> int:
    """Remove each volume in turn; a failing one does not stop the rest."""
    code = 0
    held = reached(context.settings)
    for name in call.arguments:
        try:
            held.remove(name, users=users_at_removal(context.settings).get(name, ()))
        except NotFound as error:
            if not call[FORCE]:
                code = exits.report(context.terminal, error)
                continue
        except MilleError as error:
            code = exits.report(context.terminal, error)
            continue
        # As Docker does, -f names what was not there among what went.
        context.terminal.line(name)
    return code


COMMAND = Command(
    usage="[OPTIONS] VOLUME [VOLUME...]",
    arguments=at_least(1),
    options=(FORCE,),
    run=run,
    details="Remove one or more volumes. You cannot remove a volume that is in use by a container.",
)
