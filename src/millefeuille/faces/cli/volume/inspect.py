"""`mille volume inspect`."""

from __future__ import annotations

from millefeuille.annotations import Any
from millefeuille.docker.inspection import render
from millefeuille.docker.shapes.volume import VOLUME, volume_inspect
from millefeuille.engine.volumes import volumes
from millefeuille.errors import MilleError
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.options import FORMAT_HELP, string

FORMAT = string("format", FORMAT_HELP, short="f")


def run(context: Context, call: Call) -> int:
    """Print what is known of each volume; go on after one that is not there."""
    found: list[dict[str, Any]] = []
    problems: list[MilleError] = []
    held = volumes(context.settings)
    for name in call.arguments:
        try:
            found.append(volume_inspect(held.get(name)))
        except MilleError as error:
            problems.append(error)
    with exits.refusing(exits.TEMPLATE):
        shown, misfits = render(found, call[FORMAT], VOLUME, raw=False)
    context.terminal.write(shown)
    for misfit in misfits:
        context.terminal.complain(str(misfit))
    for problem in problems:
        exits.report(context.terminal, problem)
    return 1 if problems or misfits else 0


COMMAND = Command(usage="[OPTIONS] VOLUME [VOLUME...]", arguments=at_least(1), options=(FORMAT,), run=run)
