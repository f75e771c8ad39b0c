"""`mille container attach`."""

from __future__ import annotations

import os

from millefeuille.containers import records
from millefeuille.containers.attach import MonitorGone, Streams
from millefeuille.containers.connection import connected, refuse_unreachable
from millefeuille.containers.happening import note
from millefeuille.containers.state import State
from millefeuille.engine.containers import host
from millefeuille.engine.store import open_store
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.container.attachment import abandoned, attached
from millefeuille.faces.cli.container.keys import detach_keys
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import boolean, string

DETACH_KEYS = string("detach-keys", "Override the key sequence for detaching a container")
NO_STDIN = boolean("no-stdin", "Do not attach STDIN")
SIG_PROXY = boolean("sig-proxy", "Proxy all received signals to the process", default=True)


def run(context: Context, call: Call) -> int:
    """Join this terminal to a container that runs, until that ends or the keys let go of it."""
    made = host(context.settings, open_store(context.settings))
    container = records.find(made.store, made.place, call.arguments[0])
    _refuse_unless_running(records.state(made.place, container.id))
    tty = bool(container.config.get("Tty"))
    takes_input = bool(container.config.get("OpenStdin")) and not call[NO_STDIN]
    if takes_input and tty and not context.terminal.input_interactive:
        raise Refusal("the input device is not a TTY")
    streams = Streams(
        stdin=0 if takes_input else None,
        tty=tty and os.isatty(0),
        detach=detach_keys(context, call[DETACH_KEYS]),
    )
    context.terminal.flush()
    note(made.store, container, "attach")
    refuse_unreachable(made.place, container)
    try:
        with connected(made.place, container.id) as connection:
            ended = attached(connection, streams, pass_signals=call[SIG_PROXY] and not tty)
    except MonitorGone:
        return abandoned(context, made, container)
    if ended is None:
        context.terminal.complain("read escape sequence")
        return 1
    return ended.code


def _refuse_unless_running(told: State) -> None:
    if not told.running:
        raise Refusal("cannot attach to a stopped container, start it first")
    if told.status == "paused":
        raise Refusal("cannot attach to a paused container, unpause it first")
    if told.status == "restarting":
        raise Refusal("cannot attach to a restarting container, wait until it is running")


COMMAND = Command(
    usage="[OPTIONS] CONTAINER",
    arguments=exactly(1),
    options=(DETACH_KEYS, NO_STDIN, SIG_PROXY),
    run=run,
    complete="container",
)
