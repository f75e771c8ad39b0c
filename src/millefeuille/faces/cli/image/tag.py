"""`mille image tag`."""

from __future__ import annotations

from millefeuille.engine.store import existing
from millefeuille.errors import Invalid
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.images.tag import tag
from millefeuille.oci.gotext import quoted
from millefeuille.oci.reference import Reference
from millefeuille.store import names


def run(context: Context, call: Call) -> int:
    """Give an image one more name."""
    source, target = call.arguments
    if not names.is_full_id(source):
        _reference(source)
    if _reference(target).digest is not None:
        raise Refusal("refusing to create a tag with a digest reference")
    store = existing(context.settings)
    if store is None:
        raise names.no_such_image(source)
    with store.writing() as tx:
        tag(tx, source, target)
    return 0


def _reference(text: str) -> Reference:
    try:
        return Reference.parse(text)
    except Invalid as error:
        complaint = f"Error parsing reference: {quoted(text)} is not a valid repository/tag: {error}"
        raise Refusal(complaint) from error


COMMAND = Command(
    usage="SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    arguments=exactly(2),
    run=run,
    interspersed=False,
    complete="image",
)
