"""`mille image unmount`."""

from __future__ import annotations

from millefeuille.engine.mounts import mounts
from millefeuille.engine.snapshots import snapshotter
from millefeuille.engine.store import existing
from millefeuille.errors import Invalid, MilleError, NotFound
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import boolean
from millefeuille.images.mounting import unmount
from millefeuille.images.mounts import ImageMount, Mounts
from millefeuille.oci.digest import Digest
from millefeuille.store import names

ALL = boolean("all", "Unmount all images", short="a")
FORCE = boolean("force", "Unmount even what is in use; its users keep it until they let go", short="f")


def run(context: Context, call: Call) -> int:
    """Unmount images, by their names or by where they are mounted; print where they were."""
    known = mounts(context.settings)
    if call[ALL] == bool(call.arguments):
        raise Refusal("name the images to unmount, or all of them with --all; not both")
    code = 0
    for text in call.arguments or ("",):
        try:
            for mount in _wanted(context, known, text):
                unmount(known, mount, force=call[FORCE])
                context.terminal.line(mount.target)
        except MilleError as error:
            code = exits.report(context.terminal, error)
    store = existing(context.settings)
    if store is not None:
        snapshotter(context.settings, store).release_idle()
    return code


def _wanted(context: Context, known: Mounts, text: str) -> list[ImageMount]:
    """The mounts that `text` means; all of them for ""."""
    return known.find(text, _image(context, text)) if text else list(known)


def _image(context: Context, text: str) -> Digest | None:
    store = existing(context.settings)
    if store is None:
        return None
    try:
        with store.reading() as tx:
            return names.find(tx, text).id
    except (NotFound, Invalid):
        return None


COMMAND = Command(
    usage="[OPTIONS] IMAGE|DIRECTORY [IMAGE|DIRECTORY...]",
    arguments=at_least(0),
    options=(
        ALL,
        FORCE,
    ),
    run=run,
    complete="image",
)
