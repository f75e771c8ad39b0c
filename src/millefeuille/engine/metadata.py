"""Whether bringing an image in also makes the metadata image its first mount needs."""

from __future__ import annotations

import os

from millefeuille.snapshots.erofs.stored import make_metadata
from millefeuille.store.chains import Prepare


def prepare() -> Prepare | None:
    """What makes it, where this process can mount it: only root can mount an EROFS image."""
    return make_metadata if os.geteuid() == 0 else None
