"""Whether bringing an image in also makes the metadata image its first mount needs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

from millefeuille.engine.snapshots import choice
from millefeuille.errors import Unsupported
from millefeuille.oci.digest import Digest
from millefeuille.settings import Settings
from millefeuille.snapshots.choice import NoDriver
from millefeuille.snapshots.erofs.stored import make_metadata
from millefeuille.store.chains import Metadata, Prepare
from millefeuille.store.images import LayerRecord
from millefeuille.store.store import Store


def prepare(settings: Settings) -> Prepare | None:
    """What makes it, where chains are mounted by the erofs driver; the other one needs none.

    Which one it is, is found out when there is something to make.
    """
    if os.geteuid() != 0:  # only root can mount an EROFS image
        return None

    def make(store: Store, layers: Sequence[LayerRecord]) -> tuple[Digest, Metadata] | None:
        try:
            driver = choice(settings, store).driver
        except NoDriver:
            return None
        # What the driver cannot map, it refuses to mount; to bring the image in is no reason to.
        with contextlib.suppress(Unsupported):
            return make_metadata(store, layers) if driver == "erofs" else None
        return None

    return make
