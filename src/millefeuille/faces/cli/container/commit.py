"""`mille container commit`."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager

from millefeuille.containers import pausing, records, written
from millefeuille.containers.commit import commit
from millefeuille.containers.committed import Wishes
from millefeuille.containers.pausing import Freezing
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.containers.remaining import refuse_going
from millefeuille.engine.place import identity, place
from millefeuille.engine.snapshots import snapshotter
from millefeuille.engine.store import founded
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, between
from millefeuille.faces.cli.epoch import read_epoch
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import boolean, repeated, string
from millefeuille.later import Later
from millefeuille.oci.reference import Reference
from millefeuille.runtime import probe, userns
from millefeuille.store.names import check_name
from millefeuille.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.build import changes
else:
    changes = Later("millefeuille.build.changes")

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
    epoch = read_epoch(context.settings.environment.get("SOURCE_DATE_EPOCH", ""))
    store, where = founded(context.settings), place(context.settings)
    container = records.find(store, where, text)
    if name is not None:
        check_name(name)
    refuse_going(where, container, "commit")
    instructions = call[CHANGE]
    process = changes.apply_changes(instructions, container.config) if instructions else None
    wishes = Wishes(name=name, author=call[AUTHOR], message=call[MESSAGE], process=process, epoch=epoch)
    snapshots = snapshotter(context.settings, store)
    snapshots.release_idle()
    still = _still(context, store, where, container) if call[PAUSE] else contextlib.nullcontext()
    with still, written.opened(snapshots, container) as changed:
        image = commit(store, container, changed, wishes)
    context.terminal.line(str(image))
    return 0


def _still(
    context: Context, store: Store, where: Place, container: Container
) -> AbstractContextManager[None]:
    """What holds the container meanwhile, if it runs; without control groups, which an ordinary user's has
    not, nothing does.
    """
    store_name = identity(context.settings)
    runtime = probe.find(where.runtime, rootless=userns.is_inside(), store=store_name)
    if runtime.limits:
        return pausing.paused(Freezing(store=store, place=where, runtime=runtime), container)
    if records.state(where, container.id).status == "running":
        context.terminal.complain(
            f"WARNING: container {container.short} is not paused: it has no control group"
        )
    return contextlib.nullcontext()


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
