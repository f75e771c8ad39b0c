"""`mille image inspect`."""

from __future__ import annotations

from millefeuille.annotations import Any
from millefeuille.docker.inspection import IMAGE, render
from millefeuille.docker.records import digests, tags
from millefeuille.docker.shapes.image import ImageFacts, image_inspect
from millefeuille.engine.store import existing
from millefeuille.errors import MilleError
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.options import FORMAT_HELP, string
from millefeuille.images.content import config_of, find_platform
from millefeuille.oci.platform import Platform
from millefeuille.settings import Settings
from millefeuille.store.names import no_such_image

FORMAT = string("format", FORMAT_HELP, short="f")
PLATFORM = string(
    "platform",
    "Inspect a specific platform of the multi-platform image.\n"
    "If the image or the server is not multi-platform capable, the command will error out if the platform"
    " does not match.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
)


def run(context: Context, call: Call) -> int:
    """Print what is known of each image; go on after one that is not there."""
    found: list[dict[str, Any]] = []
    problems: list[MilleError] = []
    platform = Platform.parse(call[PLATFORM]) if call[PLATFORM] else None
    for text in call.arguments:
        try:
            found.append(inspected(context.settings, text, platform))
        except MilleError as error:
            problems.append(error)
    with exits.refusing(exits.TEMPLATE):
        shown, misfits = render(found, call[FORMAT], IMAGE)
    context.terminal.write(shown)
    for misfit in misfits:
        context.terminal.complain(str(misfit))
    for problem in problems:
        exits.report(context.terminal, problem)
    return 1 if problems or misfits else 0


def inspected(settings: Settings, text: str, platform: Platform | None) -> dict[str, Any]:
    """One image as Docker's object. Raises NoSuchImage, PlatformMissing, Corrupt."""
    store = existing(settings)
    if store is None:
        raise no_such_image(text)
    with store.reading() as tx:
        image = find_platform(tx, text, platform)
    config = config_of(store.blobs, image)
    facts = ImageFacts(
        id=str(image.id),
        tags=tags(image),
        digests=digests(image),
        parent=str(image.parent) if image.parent else "",
        size=image.size,
        last_tagged=image.tagged_ns,
        driver="erofs",
    )
    return image_inspect(config.fields, facts)


COMMAND = Command(
    usage="[OPTIONS] IMAGE [IMAGE...]",
    arguments=at_least(1),
    options=(
        FORMAT,
        PLATFORM,
    ),
    run=run,
    complete="image",
)
