"""`mille network inspect`."""

from __future__ import annotations

from millefeuille.annotations import Any
from millefeuille.docker.inspection import render
from millefeuille.docker.shapes.network import NETWORK, network_inspect
from millefeuille.engine.networks import networks
from millefeuille.errors import MilleError
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.options import FORMAT_HELP, boolean, string
from millefeuille.settings import Settings

FORMAT = string("format", FORMAT_HELP, short="f")
VERBOSE = boolean("verbose", "Verbose output for diagnostics", short="v")


def run(context: Context, call: Call) -> int:
    """Print what is known of each network; go on after one that is not there."""
    found: list[dict[str, Any]] = []
    problems: list[MilleError] = []
    for text in call.arguments:
        try:
            found.append(inspected(context.settings, text))
        except MilleError as error:
            problems.append(error)
    with exits.refusing(exits.TEMPLATE):
        shown, misfits = render(found, call[FORMAT], NETWORK)
    context.terminal.write(shown)
    for misfit in misfits:
        context.terminal.complain(str(misfit))
    for problem in problems:
        exits.report(context.terminal, problem)
    return 1 if problems or misfits else 0


def inspected(settings: Settings, text: str) -> dict[str, Any]:
    """One network as Docker's object. Raises NoSuchNetwork, DamagedNetwork."""
    held = networks(settings)
    network = held.get(text)
    return network_inspect(network, held.connected(network))


COMMAND = Command(
    usage="[OPTIONS] NETWORK [NETWORK...]",
    arguments=at_least(1),
    options=(
        FORMAT,
        VERBOSE,
    ),
    run=run,
)
