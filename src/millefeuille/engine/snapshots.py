"""The engine's snapshots: which driver, over which store."""

from __future__ import annotations

import os
from _thread import allocate_lock
from collections.abc import Callable
from functools import partial

from millefeuille.engine.place import run_directory
from millefeuille.later import Later
from millefeuille.oci.digest import Digest
from millefeuille.runtime import userns
from millefeuille.settings import Settings
from millefeuille.snapshots.choice import DRIVERS, Choice, choose, refuse_unknown
from millefeuille.snapshots.erofs.attached import Attached
from millefeuille.snapshots.erofs.checked import Checked
from millefeuille.snapshots.erofs.driver import Shown
from millefeuille.snapshots.erofs.driver import shown as shown_by_erofs
from millefeuille.snapshots.erofs.stored import stored_chain
from millefeuille.snapshots.overlay.marks import marks
from millefeuille.snapshots.snapshotter import Snapshotter
from millefeuille.snapshots.stacked import Lowers, StackedSnapshotter
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


def driver_name(settings: Settings, store: Store) -> str:
    """The same driver's name, for who mounts nothing. Where none can be tried, on a disk that is full or
    read-only, it is the one that was used before. Raises NoDriver, UnknownDriver.
    """
    refuse_unknown(settings.snapshotter)
    try:
        return choice(settings, store).driver
    except OSError:
        return settings.snapshotter or ("overlay" if _has_extracted(store) else DRIVERS[0])


def _has_extracted(store: Store) -> bool:
    return os.path.isdir(store.disk.extracted) and bool(os.listdir(store.disk.extracted))


def snapshotter(settings: Settings, store: Store, *, building: bool = False) -> Snapshotter:
    """Roots over the store's chains. They live beside them, as overlayfs needs a real disk.

    Which driver shows a chain is found out when the first is shown, which raises as `choice` does: a full
    disk, or one that is read-only, is no reason not to remove or to stop.

    `building`: for chains that grow step by step, of which not each is merged.

    For an ordinary user this process becomes root in a user namespace: only there can it mount. It must
    have one thread only. Raises UnknownDriver, RangesMissing, UserNamespaceDenied.
    """
    userns.enter(settings.root)
    refuse_unknown(settings.snapshotter)
    attached = Attached(os.path.join(run_directory(settings), "chains"))
    show = _Chosen(lambda: _shown(settings, store, attached, building=building))

    def release() -> list[str]:
        show.close()
        return attached.release_idle()  # whichever driver it is, the other one may have been chosen before

    return StackedSnapshotter(
        store.disk.snapshots, show, marks=marks(), release=release, lasting=not building
    )


# What shows chains, and what lets go of all that it holds for those that it may have to show again.
_Showing = tuple[Shown, Callable[[], object]]


class _Chosen:
    """Shows chains by what `choose` gives, which is called once, for the first; safe for several threads."""

    def __init__(self, choose: Callable[[], _Showing]) -> None:
        self._choose = choose
        self._lock = allocate_lock()
        self._showing: _Showing | None = None

    def __call__(self, chain: Digest) -> Lowers:
        """What shows a chain. Raises as the driver does, and as `choose` does."""
        with self._lock:
            if self._showing is None:
                self._showing = self._choose()
            show, _ = self._showing
        return show(chain)

    def close(self) -> None:
        """Let go of what is held. What was made of it stays, and chains can be shown again."""
        if self._showing is not None:
            _, let_go = self._showing
            let_go()


def _shown(settings: Settings, store: Store, attached: Attached, *, building: bool) -> _Showing:
    if choice(settings, store).driver == "overlay":
        return driver.shown(partial(stored.extracted_chain, store, marks=marks())), _nothing
    checked = Checked(os.path.join(run_directory(settings), "checked"))
    whole = shown_by_erofs(partial(stored_chain, store, checked=checked), attached)
    if not building:
        return whole, _nothing
    grown = growing.Growing(store, whole)
    return grown, grown.close


def _nothing() -> None:
    """What there is to let go of where nothing is held."""
