"""`mille container inspect`."""

from __future__ import annotations

from millefeuille.annotations import Any
from millefeuille.containers import records
from millefeuille.docker.containerrecords import facts
from millefeuille.docker.inspection import render
from millefeuille.docker.shapes.container import CONTAINER, container_inspect
from millefeuille.engine.foreign import reach
from millefeuille.engine.networks import networks
from millefeuille.engine.place import place
from millefeuille.engine.snapshots import driver_name
from millefeuille.engine.store import open_store
from millefeuille.errors import MilleError
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.options import FORMAT_HELP, boolean, string
from millefeuille.settings import Settings

FORMAT = string("format", FORMAT_HELP, short="f")
SIZE = boolean("size", "Display total file sizes", short="s")


def run(context: Context, call: Call) -> int:
    """Print what is known of each container; go on after one that is not there."""
    found: list[dict[str, Any]] = []
    problems: list[MilleError] = []
    for text in call.arguments:
        try:
            found.append(inspected(context.settings, text, sized=call[SIZE]))
        except MilleError as error:
            problems.append(error)
    with exits.refusing(exits.TEMPLATE):
        shown, misfits = render(found, call[FORMAT], CONTAINER)
    context.terminal.write(shown)
    for misfit in misfits:
        context.terminal.complain(str(misfit))
    for problem in problems:
        exits.report(context.terminal, problem)
    return 1 if problems or misfits else 0


def inspected(settings: Settings, text: str, *, sized: bool = False) -> dict[str, Any]:
    """One container as Docker's object. Raises NoSuchContainer, AmbiguousPrefix, DamagedRecord, Unnamed."""
    store, where = open_store(settings), place(settings)
    container = records.find(store, where, text)
    if sized:
        reach(store.disk.root, store.disk.snapshots)
    driver = driver_name(settings, store)
    told = facts(store, where, networks(settings), container, driver=driver, sized=sized)
    return container_inspect(container, records.state(where, container.id), told)


COMMAND = Command(
    usage="[OPTIONS] CONTAINER [CONTAINER...]",
    arguments=at_least(1),
    options=(FORMAT, SIZE),
    run=run,
    complete="container",
)
