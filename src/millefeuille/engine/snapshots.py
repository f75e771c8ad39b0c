"""The engine's snapshots: which driver, over which store."""

from __future__ import annotations

import os
from functools import partial

from millefeuille.engine.place import run_directory
from millefeuille.later import Later
from millefeuille.runtime import userns
from millefeuille.settings import Settings
from millefeuille.snapshots.choice import Choice, choose
from millefeuille.snapshots.erofs.attached import Attached
from millefeuille.snapshots.erofs.checked import Checked
from millefeuille.snapshots.erofs.driver import ErofsSnapshotter
from millefeuille.snapshots.erofs.stored import stored_chain
from millefeuille.snapshots.overlay.marks import marks
from millefeuille.snapshots.snapshotter import Snapshotter
from millefeuille.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.snapshots.erofs import growing
    from millefeuille.snapshots.overlay import driver, stored
else:
    growing = Later("millefeuille.snapshots.erofs.growing")
    driver = Later("millefeuille.snapshots.overlay.driver")
    stored = Later("millefeuille.snapshots.overlay.stored")


def choice(settings: Settings, store: Store) -> Choice:
    """The driver for this store, which exists. Raises NoDriver, UnknownDriver, OSError."""
    # A sample lies in the trash, from where the next removal takes it when a crash left it.
    return choose(store.disk.trash, os.path.join(run_directory(settings), "driver"), settings.snapshotter)


def snapshotter(settings: Settings, store: Store, *, building: bool = False) -> Snapshotter:
    """The driver over the store's chains. Roots live beside them, as overlayfs needs a real disk.

    `building`: for chains that grow step by step, of which not each is merged.

    For an ordinary user this process becomes root in a user namespace: only there can it mount. It must
    have one thread only. Raises as `choice` does, RangesMissing, UserNamespaceDenied.
    """
    userns.enter()
    run = run_directory(settings)
    attached = Attached(os.path.join(run, "chains"))
    if choice(settings, store).driver == "erofs":
        checked = Checked(os.path.join(run, "checked"))
        files = partial(stored_chain, store, checked=checked)
        if building:
            grown = partial(growing.Growing, store)
            return ErofsSnapshotter(store.disk.snapshots, files, attached, grown=grown, lasting=False)
        return ErofsSnapshotter(store.disk.snapshots, files, attached)
    extracted = partial(stored.extracted_chain, store, marks=marks())
    # The other driver may have been chosen before.
    return driver.OverlaySnapshotter(
        store.disk.snapshots, extracted, marks=marks(), release=attached.release_idle, lasting=not building
    )
