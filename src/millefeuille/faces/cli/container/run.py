"""`mille container run`."""

from __future__ import annotations

import os
import socket
import sys

from millefeuille.containers import removal, sweep
from millefeuille.containers.attach import MonitorGone, Streams
from millefeuille.containers.connection import Connection
from millefeuille.containers.happening import note
from millefeuille.containers.host import Host
from millefeuille.containers.record import Container
from millefeuille.containers.start import start
from millefeuille.engine.containers import host
from millefeuille.engine.store import founded
from millefeuille.errors import MilleError
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.container import creation_flags as flags
from millefeuille.faces.cli.container import making
from millefeuille.faces.cli.container.attachment import abandoned, attached
from millefeuille.faces.cli.container.creation import Wanted, wanted
from millefeuille.faces.cli.container.keys import detach_keys
from millefeuille.runtime.runtime import start_code


def run(context: Context, call: Call) -> int:
    """Make a container from an image, and start it; wait for its end unless it is to be left alone."""
    try:
        return _run(context, call)
    except making.NoIdFile as error:
        return _report(context, error, start_code(str(error)))
    except MilleError as error:
        if isinstance(error, exits.Refusal) and error.code == 1 and error.__cause__ is None:
            raise  # what the client objects to before it reads names; those have the error they come from
        return _report(context, error, exits.USAGE)  # whatever the engine refuses: Docker's 125
    except _NotStarted as failed:
        if context.debug and not isinstance(failed.__cause__, (MilleError, OSError)):
            sys.excepthook(type(failed), failed, failed.__traceback__)
        return _report(context, failed.error, start_code(str(failed.error)))
    except BrokenPipeError:
        raise
    except (OSError, MemoryError) as error:
        return _report(context, exits.known(error, context.settings.root), exits.USAGE)


class _NotStarted(Exception):
    """The container was made, and did not start."""

    def __init__(self, error: MilleError) -> None:
        super().__init__(str(error))
        self.error = error


def _report(context: Context, error: MilleError, code: int) -> int:
    """Say what is wrong, as Docker does here: with the program's name before and a hint behind."""
    context.terminal.complain(f"mille: {exits.wording(error)}\n\nRun 'mille run --help' for more information")
    return code


def _run(context: Context, call: Call) -> int:
    asked = wanted(context, call, flags.PULL_TO_RUN)
    if call[flags.DETACH] and call[flags.ATTACH]:
        raise exits.Refusal("conflicting options: cannot specify both --attach and --detach")
    making.check_terminal(context, asked, call[flags.DETACH])
    if asked.host_config["OomKillDisable"] and not asked.host_config["Memory"]:
        context.terminal.complain(
            "WARNING: Disabling the OOM killer on containers without setting a '-m/--memory' limit may be"
            " dangerous."
        )
    for line in asked.warnings:
        context.terminal.complain(line)
    if call[flags.DETACH]:
        asked = asked.detached()
    store = founded(context.settings)
    made = host(context.settings, store)
    with making.id_file(asked.cidfile) as note:
        container = making.make(context, made, store, asked, starting=True)
        note(container.id)
    if call[flags.DETACH]:
        try:
            _started(made, container, asked)
        finally:
            context.terminal.line(container.id)  # of one that did not start, too: it may still be there
        return 0
    return _in_front(context, call, made, container, asked)


def _started(made: Host, container: Container, asked: Wanted, client: socket.socket | None = None) -> None:
    try:
        start(made, container, client)
    except Exception as error:  # whatever it is, what the caller wants gone does not stay
        if asked.host_config.get("AutoRemove"):
            removal.remove(made, container, force=True, volumes=True)
        raise _NotStarted(exits.known(error, made.place.root)) from error


def _in_front(context: Context, call: Call, made: Host, container: Container, asked: Wanted) -> int:
    keys = detach_keys(context, call[flags.DETACH_KEYS])
    ours, theirs = socket.socketpair()
    connection = Connection(ours)
    try:
        note(made.store, container, "attach")
        connection.send(b"c")  # what is to be done at the end is done here, where everything is loaded
        with theirs:
            _started(made, container, asked, theirs)
        context.terminal.flush()
        ended = attached(connection, _streams(asked, keys), pass_signals=call[flags.SIG_PROXY])
    except MonitorGone:
        return abandoned(context, made, container)
    finally:
        connection.close()
    if ended is None:
        return 0
    if not ended.again:
        sweep.tidy_after(made, container)
    return ended.code


def _streams(asked: Wanted, keys: bytes) -> Streams:
    config = asked.config
    return Streams(
        stdin=0 if config["AttachStdin"] else None,
        stdout=1 if config["AttachStdout"] else None,
        stderr=2 if config["AttachStderr"] else None,
        tty=bool(config["Tty"]) and os.isatty(0),
        detach=keys,
    )


COMMAND = Command(
    usage="[OPTIONS] IMAGE [COMMAND] [ARG...]",
    arguments=at_least(1),
    options=flags.RUN_OPTIONS,
    run=run,
    complete="image",
    interspersed=False,
)
