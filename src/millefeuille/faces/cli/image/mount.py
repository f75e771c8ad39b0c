"""`mille image mount`."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.docker.columns import MOUNTS
from millefeuille.docker.shapes.summary import short_id
from millefeuille.engine.mounts import mounts, refuse_unseen
from millefeuille.engine.snapshots import snapshotter
from millefeuille.engine.store import existing
from millefeuille.faces.cli.command import Call, Command, Context, between
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.image.inside import PLATFORM
from millefeuille.faces.cli.options import FORMAT_TABLE_HELP, string
from millefeuille.faces.cli.rendered import render
from millefeuille.images.mounting import mount
from millefeuille.images.mounts import ImageMount
from millefeuille.oci.platform import Platform
from millefeuille.store.names import no_such_image

FORMAT = string("format", FORMAT_TABLE_HELP)


def run(context: Context, call: Call) -> int:
    """Mount an image read-only and print where; without arguments, list what is mounted."""
    known = mounts(context.settings)
    if not call.arguments:
        context.terminal.write(render(MOUNTS, _rows(known), call[FORMAT]))
        return 0
    if call.given(FORMAT):
        raise Refusal("--format is for the list of mounts, which `mille image mount` without IMAGE prints")
    text, *rest = call.arguments
    platform = Platform.parse(call[PLATFORM]) if call[PLATFORM] else None
    store = existing(context.settings)
    if store is None:
        raise no_such_image(text)
    refuse_unseen()
    snapshots = snapshotter(context.settings, store)
    done = mount(known, store, snapshots, text, platform, rest[0] if rest else "")
    context.terminal.line(done.target)
    return 0


def _rows(known: Iterable[ImageMount]) -> list[dict[str, str]]:
    return [{"ID": short_id(str(one.image)), "Image": one.name, "Mountpoint": one.target} for one in known]


COMMAND = Command(
    usage="[OPTIONS] [IMAGE [DIRECTORY]]",
    arguments=between(0, 2),
    options=(
        FORMAT,
        PLATFORM,
    ),
    run=run,
    details="""Mount an image read-only and print where it is mounted

Without IMAGE, list the images that are mounted.""",
    complete="image",
)
