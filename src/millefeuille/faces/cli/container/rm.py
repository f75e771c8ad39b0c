"""`mille container rm`."""

from __future__ import annotations

from millefeuille.containers import records, removal
from millefeuille.containers.records import NoSuchContainer
from millefeuille.engine.containers import host
from millefeuille.engine.store import open_store
from millefeuille.errors import MilleError, Unsupported
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import boolean

FORCE = boolean("force", "Force the removal of a running container (uses SIGKILL)", short="f")
LINK = boolean("link", "Remove the specified link", short="l")
VOLUMES = boolean("volumes", "Remove anonymous volumes associated with the container", short="v")


def run(context: Context, call: Call) -> int:
    """Remove containers; with `--force` it is no failure that one is not there."""
    if call[LINK]:
        raise Unsupported("links between containers are not supported")
    made = host(context.settings, open_store(context.settings))
    code = 0
    for text in call.arguments:
        try:
            if not text.strip("/"):
                raise Refusal("container name cannot be empty")
            container = records.known(made.store, made.place, text)
            removal.remove(made, container, force=call[FORCE], volumes=call[VOLUMES])
        except NoSuchContainer as error:
            told = exits.report(context.terminal, error)
            code = code if call[FORCE] else told
        except MilleError as error:
            code = exits.report(context.terminal, error)
        else:
            context.terminal.line(text)
    made.snapshots.release_idle()
    return code


COMMAND = Command(
    usage="[OPTIONS] CONTAINER [CONTAINER...]",
    arguments=at_least(1),
    options=(FORCE, LINK, VOLUMES),
    run=run,
    complete="container",
)
