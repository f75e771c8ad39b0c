"""`mille container kill`."""

from __future__ import annotations

from millefeuille.containers import lifecycle
from millefeuille.containers.host import Host
from millefeuille.containers.record import Container
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.container.each import each
from millefeuille.faces.cli.options import string

SIGNAL = string("signal", "Signal to send to the container", short="s")


def run(context: Context, call: Call) -> int:
    """Send a signal to containers that run."""
    signal = call[SIGNAL] or "KILL"

    def verb(host: Host, container: Container) -> None:
        lifecycle.kill(host, container, lifecycle.deliverable(signal))

    return each(context, call, verb, check=lambda: lifecycle.deliverable(signal))


COMMAND = Command(
    usage="[OPTIONS] CONTAINER [CONTAINER...]",
    arguments=at_least(1),
    options=(SIGNAL,),
    run=run,
    complete="container",
)
