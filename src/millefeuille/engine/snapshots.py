"""The engine's snapshots: which driver, over which store."""

from __future__ import annotations

import os
from functools import partial

from millefeuille.settings import Settings
from millefeuille.snapshots.erofs.driver import ErofsSnapshotter
from millefeuille.snapshots.erofs.stored import stored_chain
from millefeuille.snapshots.snapshotter import Snapshotter
from millefeuille.store.store import Store


def snapshotter(settings: Settings, store: Store) -> Snapshotter:
    """The erofs driver over the store's chains; roots live beside them, as overlayfs needs a real disk."""
    return ErofsSnapshotter(os.path.join(settings.root, "snapshots"), partial(stored_chain, store))
