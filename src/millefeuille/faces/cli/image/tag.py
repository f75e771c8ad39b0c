"""`mille image tag`."""

from __future__ import annotations

from millefeuille.engine.store import existing
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.images.tag import tag
from millefeuille.oci.reference import Reference
from millefeuille.store.names import no_such_image


def run(context: Context, call: Call) -> int:
    """Give an image one more name."""
    source, target = call.arguments
    with exits.refusing():
        Reference.parse(target)
    store = existing(context.settings)
    if store is None:
        raise no_such_image(source)
    with store.writing() as tx:
        tag(tx, source, target)
    return 0


COMMAND = Command(
    usage="SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    arguments=exactly(2),
    run=run,
    interspersed=False,
    complete="image",
)
