"""`mille container exec`."""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.containers import records
from millefeuille.containers.attach import OutputLost
from millefeuille.containers.execution import Command as Execution
from millefeuille.containers.execution import execute, execute_detached
from millefeuille.docker.creation import pairs
from millefeuille.engine.containers import host
from millefeuille.engine.store import open_store
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.container.variables import variables
from millefeuille.faces.cli.exits import Refusal, refusing
from millefeuille.faces.cli.options import boolean, repeated, string
from millefeuille.faces.cli.typed import checked
from millefeuille.runtime.runtime import ExecFailed, Stdio
from millefeuille.runtime.users import NoSuchUser

_NOT_RUN: Final = 126  # the exit code of what could not be run

DETACH = boolean("detach", "Detached mode: run command in the background", short="d")
DETACH_KEYS = string("detach-keys", "Override the key sequence for detaching a container")
ENV = checked("env", "Set environment variables", pairs.variable, short="e")
ENV_FILE = repeated("env-file", "Read in a file of environment variables")
INTERACTIVE = boolean("interactive", "Keep STDIN open even if not attached", short="i")
PRIVILEGED = boolean("privileged", "Give extended privileges to the command")
TTY = boolean("tty", "Allocate a pseudo-TTY", short="t")
USER = string("user", 'Username or UID (format: "<name|uid>[:<group|gid>]")', short="u")
WORKDIR = string("workdir", "Working directory inside the container", short="w")


def run(context: Context, call: Call) -> int:
    """Run a command in a container that runs."""
    name, *words = call.arguments
    given: tuple[str, ...] = call[ENV]
    paths: tuple[str, ...] = call[ENV_FILE]
    with refusing():
        environment = variables(context, given, paths)
    made = host(context.settings, open_store(context.settings))
    container = records.find(made.store, made.place, name)
    if call.given(DETACH_KEYS):
        raise Refusal("--detach-keys: nothing is left of an exec that is let go of, so it has no keys")
    if call[TTY] and call[INTERACTIVE] and not call[DETACH] and not context.terminal.input_interactive:
        raise Refusal("the input device is not a TTY")
    command = Execution(
        words=tuple(words), environment=environment, user=call[USER],
        directory=call[WORKDIR], tty=call[TTY], privileged=call[PRIVILEGED],
    )  # fmt: skip
    try:
        if call[DETACH]:
            execute_detached(made, container, command)
            return 0
        context.terminal.flush()
        return execute(made, container, command, Stdio(stdin=0 if call[INTERACTIVE] else None))
    except OutputLost as error:
        raise Refusal(str(error)) from None
    except (ExecFailed, NoSuchUser) as error:
        if call[DETACH]:
            raise
        # Docker's daemon tells on the stream that was to be the command's, as if it were a terminal.
        context.terminal.line(f"{error}\r")
        return error.exit_code if isinstance(error, ExecFailed) else _NOT_RUN


COMMAND = Command(
    usage="[OPTIONS] CONTAINER COMMAND [ARG...]",
    arguments=at_least(2),
    options=(
        DETACH, DETACH_KEYS, ENV, ENV_FILE, INTERACTIVE, PRIVILEGED, TTY, USER, WORKDIR,
    ),
    run=run,
    complete="container",
    interspersed=False,
)  # fmt: skip

