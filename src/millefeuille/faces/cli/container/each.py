"""A verb done to each container that is named: its name is printed, a failure told, the rest gone on with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from millefeuille.containers import records
from millefeuille.containers.host import Host
from millefeuille.containers.record import Container
from millefeuille.engine.containers import host
from millefeuille.engine.store import open_store
from millefeuille.errors import Failed, MilleError
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Context

Verb = Callable[[Host, Container], object]


def _nothing() -> None:
    """No check."""


def each(
    context: Context, call: Call, verb: Verb, check: Callable[[], object] = _nothing, *, failed: str = ""
) -> int:
    """Do `verb` to the containers that the call names; 1 when one of them failed, else 0.

    `check` comes before a container is looked for, each time, as its failure is told of each. A failure of
    `verb` is told behind `failed` and the name of the container, if that says anything.
    """
    made = host(context.settings, open_store(context.settings))
    code = 0
    for text in call.arguments:
        try:
            check()
            container = records.find(made.store, made.place, text)
            with _behind(f"{failed} {text}: " if failed else ""):
                verb(made, container)
        except MilleError as error:
            code = exits.report(context.terminal, error)
        else:
            context.terminal.line(text)
    return code


@contextlib.contextmanager
def _behind(words: str) -> Iterator[None]:
    try:
        yield
    except MilleError as error:
        if not words:
            raise
        raise Failed(f"{words}{error}", advice=error.advice) from error
