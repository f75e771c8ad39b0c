"""`mille image import`."""

from __future__ import annotations

import os

from millefeuille.engine.metadata import prepare
from millefeuille.engine.store import open_store
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.inputs import open_input
from millefeuille.faces.cli.options import repeated, string
from millefeuille.later import Later
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.transfer.archive.download import download
from millefeuille.transfer.archive.import_ import Making, check_name, import_image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.build import changes
else:
    changes = Later("millefeuille.build.changes")

CHANGE = repeated("change", "Apply Dockerfile instruction to the created image", short="c")
MESSAGE = string("message", "Set commit message for imported image", short="m")
PLATFORM = string("platform", "Set platform if server is multi-platform capable")


def run(context: Context, call: Call) -> int:
    """Make an image of one layer from a tar archive of files."""
    source, *names = call.arguments[:2]
    wanted = call[PLATFORM] or context.settings.platform
    with exits.refusing():
        name = Reference.parse(names[0]).tagged() if names and names[0] else None
        platform = Platform.parse(wanted) if wanted else Platform.host()
    check_name(name)
    is_remote = source.startswith(("http://", "https://"))
    instructions = call[CHANGE]
    making = Making(
        name=name,
        process=changes.apply_changes(instructions) if instructions else {},
        message=call[MESSAGE] or f"Imported from {source if is_remote else '-'}",
        platform=platform,
    )
    store = open_store(context.settings)
    if is_remote:
        with download(context.settings.environment, source) as read:
            image = import_image(store, read, making, prepare=prepare(context.settings))
    else:
        descriptor = open_input(context.terminal, source)
        try:
            image = import_image(store, descriptor, making, prepare=prepare(context.settings))
        finally:
            os.close(descriptor)
    context.terminal.line(str(image))
    return 0


COMMAND = Command(
    usage="[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
    arguments=at_least(1),
    options=(
        CHANGE,
        MESSAGE,
        PLATFORM,
    ),
    run=run,
    complete="file",
)
