"""`mille container restart`."""

from __future__ import annotations

from millefeuille.containers import lifecycle
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.container.each import each
from millefeuille.faces.cli.options import integer, string
from millefeuille.values import replace

SIGNAL = string("signal", "Signal to send to the container", short="s")
TIME = replace(integer("time", "Seconds to wait before killing the container"), hidden=True)  # of old
TIMEOUT = integer("timeout", "Seconds to wait before killing the container", short="t")


def run(context: Context, call: Call) -> int:
    """Restart one or more containers."""
    timeout = call[TIMEOUT] if call.given(TIMEOUT) else call[TIME] if call.given(TIME) else None
    if call.given(TIME):
        context.terminal.complain("Flag --time has been deprecated, use --timeout instead")
    signal = call[SIGNAL]
    return each(
        context,
        call,
        lambda host, container: lifecycle.restart(host, container, timeout=timeout, signal=signal),
        failed="Cannot restart container",
    )


COMMAND = Command(
    usage="[OPTIONS] CONTAINER [CONTAINER...]",
    arguments=at_least(1),
    options=(SIGNAL, TIME, TIMEOUT),
    run=run,
    complete="container",
)
