"""`mille container kill`."""

from __future__ import annotations

from functools import partial

from millefeuille.containers import lifecycle
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.container.each import each
from millefeuille.faces.cli.options import string

SIGNAL = string("signal", "Signal to send to the container", short="s")


def run(context: Context, call: Call) -> int:
    """Send a signal to containers that run."""
    number = partial(lifecycle.deliverable, call[SIGNAL] or "KILL")
    return each(context, call, lambda host, one: lifecycle.kill(host, one, number()), check=number)


COMMAND = Command(
    usage="[OPTIONS] CONTAINER [CONTAINER...]",
    arguments=at_least(1),
    options=(SIGNAL,),
    run=run,
    complete="container",
)
