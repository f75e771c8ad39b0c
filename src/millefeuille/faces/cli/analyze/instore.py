"""An image in the store, to be analysed only where nothing is kept of it."""

from __future__ import annotations

from collections.abc import Callable

from millefeuille.engine.kept import Kept, kept
from millefeuille.engine.store import existing
from millefeuille.later import Later
from millefeuille.oci.reference import InvalidReference
from millefeuille.settings import Settings
from millefeuille.store.images import ImageRecord
from millefeuille.store.names import NoSuchImage, find, no_such_image
from millefeuille.store.transaction import Transaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.engine import stored as analyses
    from millefeuille.engine.analysis import Analysis
    from millefeuille.images import content
    from millefeuille.oci.platform import Platform
else:
    analyses = Later("millefeuille.engine.stored")
    content = Later("millefeuille.images.content")

__all__ = ["InvalidReference", "NoSuchImage", "stored"]


def stored(
    settings: Settings, name: str, platform: Platform | None
) -> tuple[Callable[[], Analysis], Kept | None]:
    """What makes the analysis of an image in the store, and what is kept of it.

    Raises NoSuchImage, InvalidReference, PlatformMissing.
    """
    store = existing(settings)
    if store is None:
        raise no_such_image(name)
    with store.reading() as tx:
        found = kept(store, tx, _found(tx, name, platform), name)

    return (lambda: analyses.stored(store, name, platform)), found


def _found(tx: Transaction, name: str, platform: Platform | None) -> ImageRecord:
    if platform is None:
        return find(tx, name)
    return content.find_platform(tx, name, platform)
