"""`mille container commit`."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager

from millefeuille.containers import pausing, records, written
from millefeuille.containers.commit import commit
from millefeuille.containers.committed import Wishes
from millefeuille.containers.pausing import Freezing
from millefeuille.containers.remaining import refuse_going
from millefeuille.engine.place import place
from millefeuille.engine.snapshots import snapshotter
from millefeuille.engine.store import founded
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, between
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import boolean, repeated, string
from millefeuille.later import Later
from millefeuille.oci.reference import Reference
from millefeuille.runtime import probe

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
    epoch = _epoch(context)
    store, where = founded(context.settings), place(context.settings)
    container = records.find(store, where, text)
    refuse_going(where, container, "commit")
    instructions = call[CHANGE]
    process = changes.apply_changes(instructions, container.config) if instructions else None
    wishes = Wishes(name=name, author=call[AUTHOR], message=call[MESSAGE], process=process, epoch=epoch)
    still: AbstractContextManager[None] = contextlib.nullcontext()
    if call[PAUSE]:
        parts = Freezing(store=store, place=where, runtime=probe.find(where.runtime))
        still = pausing.paused(parts, container)
    snapshots = snapshotter(context.settings, store)
    snapshots.release_idle()
    with still, written.opened(snapshots, container) as changed:
        image = commit(store, container, changed, wishes)
    context.terminal.line(str(image))
    return 0


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
