"""`mille container commit`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from millefeuille.containers import lifecycle, records, written
from millefeuille.containers.commit import commit
from millefeuille.containers.committed import Wishes
from millefeuille.containers.host import Host
from millefeuille.containers.lifecycle import WrongState
from millefeuille.containers.record import Container
from millefeuille.engine.containers import host
from millefeuille.engine.metadata import prepare
from millefeuille.engine.store import founded
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, between
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import boolean, repeated, string
from millefeuille.oci.reference import Reference

AUTHOR = string("author", 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")', short="a")
CHANGE = repeated("change", "Apply Dockerfile instruction to the created image", short="c")
MESSAGE = string("message", "Commit message", short="m")
PAUSE = boolean("pause", "Pause container during commit", short="p", default=True)


def run(context: Context, call: Call) -> int:
    """Make an image of what a container wrote; print its ID."""
    text, *names = call.arguments
    with exits.refusing():
        name = Reference.parse(names[0]).tagged() if names and names[0] else None
    if name is not None and name.digest is not None:
        raise Refusal("refusing to create a tag with a digest reference")
    instructions = call[CHANGE]
    wishes = Wishes(
        name=name, author=call[AUTHOR], message=call[MESSAGE], instructions=instructions,
        epoch=_epoch(context),
    )  # fmt: skip
    machine = host(context.settings, founded(context.settings))
    container = records.find(machine.store, machine.place, text)
    with _still(machine, container, call[PAUSE]), written.opened(machine, container) as changed:
        image = commit(machine.store, container, changed, wishes, prepare=prepare(context.settings))
    context.terminal.line(str(image))
    return 0


@contextlib.contextmanager
def _still(machine: Host, container: Container, wanted: bool) -> Iterator[None]:
    """Hold a container that runs for the length of the block."""
    if not wanted or records.state(machine.place, container.id).status != "running":
        yield
        return
    try:
        lifecycle.pause(machine, container)
    except WrongState:  # it has ended meanwhile
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(WrongState):
            lifecycle.unpause(machine, container)


def _epoch(context: Context) -> int | None:
    text = context.settings.environment.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return None
    if not text.isdecimal():
        raise Refusal(f"invalid SOURCE_DATE_EPOCH: {text}")
    return int(text)


COMMAND = Command(
    usage="[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
    arguments=between(1, 2),
    options=(
        AUTHOR,
        CHANGE,
        MESSAGE,
        PAUSE,
    ),
    run=run,
    complete="container",
)
