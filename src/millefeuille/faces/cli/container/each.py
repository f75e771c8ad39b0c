"""A verb done to each container that is named: its name is printed, a failure told, the rest gone on with."""

from __future__ import annotations

from collections.abc import Callable

from millefeuille.containers import records
from millefeuille.containers.host import Host
from millefeuille.containers.record import Container
from millefeuille.engine.containers import host
from millefeuille.engine.store import open_store
from millefeuille.errors import MilleError
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Context

Verb = Callable[[Host, Container], object]


def _nothing() -> None:
    """No check."""


def each(context: Context, call: Call, verb: Verb, check: Callable[[], object] = _nothing) -> int:
    """Do `verb` to the containers that the call names; 1 when one of them failed, else 0.

    `check` comes before a container is looked for, each time, as its failure is told of each.
    """
    made = host(context.settings, open_store(context.settings))
    code = 0
    for text in call.arguments:
        try:
            check()
            verb(made, records.find(made.store, made.place, text))
        except MilleError as error:
            code = exits.report(context.terminal, error)
        else:
            context.terminal.line(text)
    return code
