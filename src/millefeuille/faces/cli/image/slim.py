"""`mille image slim`."""

from __future__ import annotations

from millefeuille.docker.units import human_size
from millefeuille.engine.store import existing
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import boolean, string
from millefeuille.images.slim import slim
from millefeuille.images.tag import check_tag
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import InvalidReference, Reference
from millefeuille.store.names import no_such_image

BASE = string("base", "Leave the layers of this image as they are", complete="image")
PLATFORM = string("platform", 'Slim the given platform variant. Formatted as "os[/arch[/variant]]"')
QUIET = boolean("quiet", "Only show the image ID", short="q")
TAG = string("tag", 'Name of the slimmed image (format: "name:tag")', short="t")


def run(context: Context, call: Call) -> int:
    """Leave out what the layers of an image hold in vain, and prove that its files are the same."""
    text = call.arguments[0]
    with exits.refusing():
        name = Reference.parse(call[TAG]).tagged() if call.given(TAG) else None
        if call.given(BASE) and not call[BASE]:
            raise InvalidReference("invalid reference format")
        if name is not None:
            check_tag(name)
        platform = Platform.parse(call[PLATFORM]) if call[PLATFORM] else None
    store = existing(context.settings)
    if store is None:
        raise no_such_image(text)
    made = slim(store, text, base=call[BASE], name=name, platform=platform)
    context.terminal.line(str(made.image))
    if not call[QUIET]:
        context.terminal.complain(
            f"{human_size(made.saved)} left out; {made.rewritten} layers written again,"
            f" {made.kept} as they were; the files are the same"
        )
    return 0


COMMAND = Command(
    usage="[OPTIONS] IMAGE",
    arguments=exactly(1),
    options=(
        BASE,
        PLATFORM,
        QUIET,
        TAG,
    ),
    run=run,
    complete="image",
)
