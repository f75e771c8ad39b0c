"""`mille container start`."""

from __future__ import annotations

import os
import socket

from millefeuille.containers import records, sweep
from millefeuille.containers.attach import MonitorGone, Streams
from millefeuille.containers.connection import Connection, connected
from millefeuille.containers.happening import note
from millefeuille.containers.host import Host
from millefeuille.containers.record import Container
from millefeuille.containers.restarting import refuse_restarting
from millefeuille.containers.start import AlreadyRunning, start
from millefeuille.engine.containers import host
from millefeuille.engine.store import open_store
from millefeuille.errors import MilleError, Unsupported
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.container.attachment import abandoned, attached
from millefeuille.faces.cli.container.keys import detach_keys
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import boolean, string

ATTACH = boolean("attach", "Attach STDOUT/STDERR and forward signals", short="a")
CHECKPOINT = string("checkpoint", "Restore from this checkpoint")
CHECKPOINT_DIR = string("checkpoint-dir", "Use a custom checkpoint storage directory")
DETACH_KEYS = string("detach-keys", "Override the key sequence for detaching a container")
INTERACTIVE = boolean("interactive", "Attach container's STDIN", short="i")


def run(context: Context, call: Call) -> int:
    """Start containers that were created or have ended."""
    if call[CHECKPOINT] or call[CHECKPOINT_DIR]:
        raise Unsupported("checkpoints of containers are not supported")
    made = host(context.settings, open_store(context.settings))
    if call[ATTACH] or call[INTERACTIVE]:
        if len(call.arguments) > 1:
            raise Refusal("you cannot start and attach multiple containers at once")
        container = records.find(made.store, made.place, call.arguments[0])
        try:
            return _joined(context, call, made, container)
        except MonitorGone:
            return abandoned(context, made, container)
    failed: list[str] = []
    for text in call.arguments:
        try:
            start(made, records.find(made.store, made.place, text))
        except AlreadyRunning:
            context.terminal.line(text)
        except MilleError as error:
            exits.report(context.terminal, error)
            failed.append(text)
        else:
            context.terminal.line(text)
    if failed:
        context.terminal.complain(f"Error: failed to start containers: {', '.join(failed)}")
    return 1 if failed else 0


def _joined(context: Context, call: Call, made: Host, container: Container) -> int:
    ours, theirs = socket.socketpair()
    connection = Connection(ours)
    streams, pass_signals = _streams(context, call, container), not container.config.get("Tty")
    try:
        note(made.store, container, "attach")
        connection.send(b"c")
        with theirs:
            start(made, container, theirs)
        context.terminal.flush()
        ended = attached(connection, streams, pass_signals=pass_signals)
    except AlreadyRunning:
        refuse_restarting(container, records.state(made.place, container.id))
        with connected(made.place, container.id) as other:
            ended = attached(other, streams, pass_signals=pass_signals)
        return ended.code if ended is not None else 0
    finally:
        connection.close()
    if ended is None:
        return 0
    if not ended.again:
        sweep.tidy_after(made, container)
    return ended.code


def _streams(context: Context, call: Call, container: Container) -> Streams:
    return Streams(
        stdin=0 if call[INTERACTIVE] and container.config.get("OpenStdin") else None,
        tty=bool(container.config.get("Tty")) and os.isatty(0),
        detach=detach_keys(context, call[DETACH_KEYS]),
    )


COMMAND = Command(
    usage="[OPTIONS] CONTAINER [CONTAINER...]",
    arguments=at_least(1),
    options=(ATTACH, CHECKPOINT, CHECKPOINT_DIR, DETACH_KEYS, INTERACTIVE),
    run=run,
    complete="container",
)
