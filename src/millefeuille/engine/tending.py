"""Tending: after a build, now and then, what builds keep is brought back within its bounds."""

from __future__ import annotations

import contextlib
import os
import time

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.errors import Invalid, MilleError
from millefeuille.later import Later
from millefeuille.settings import Settings
from millefeuille.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.build.cache import bounds
    from millefeuille.build.running import caches
    from millefeuille.docker.creation import quantities
    from millefeuille.runtime import userns
else:
    # Most builds only see that it is not time yet.
    bounds = Later("millefeuille.build.cache.bounds")
    caches = Later("millefeuille.build.running.caches")
    quantities = Later("millefeuille.docker.creation.quantities")
    userns = Later("millefeuille.runtime.userns")

VARIABLE: Final = "MILLE_BUILD_CACHE"
_OFF: Final = "off"
_OFTEN, _RARELY = 60, 3600  # seconds between two looks, on a full disk and on any other


class BadLimit(Invalid):
    """The limit of the build cache cannot be read."""


def limit(settings: Settings) -> int | None:
    """The user's own upper bound in bytes, None for none, -1 where nothing is to go by itself.

    Raises BadLimit.
    """
    text = settings.environment.get(VARIABLE, "")
    if not text:
        return None
    if text == _OFF:
        return -1
    try:
        return quantities.memory(text)
    except (ValueError, MilleError):
        raise BadLimit(f"{VARIABLE}: invalid size '{text}'", advice=f"Say `20GB`, or `{_OFF}`.") from None


def tend(settings: Settings, store: Store, most: int | None) -> None:
    """Hold the cache within bounds; `most` is what `limit` gave. What fails is left to the next time."""
    if most == -1:
        return
    directory = os.path.join(settings.root, "build")
    with contextlib.suppress(OSError, MilleError):
        status = os.statvfs(settings.root)
        disk, free = status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize
        if most is None and not _is_due(f"{directory}/tended", _OFTEN if free < disk // 5 else _RARELY):
            return
        mounts = _tend_mounts(f"{directory}/cache-mounts")
        bounds.collect(store, bounds.bounds(disk, most), mounts=mounts, free=free, now_ns=time.time_ns())


def _is_due(stamp: str, pause: float) -> bool:
    """Whether the last look is so many seconds ago; this is the next one then."""
    try:
        if 0 <= time.time() - os.stat(stamp).st_mtime < pause:
            return False
    except FileNotFoundError:
        files.make_directories(os.path.dirname(stamp))
    os.close(files.create(stamp, exclusive=False))
    os.utime(stamp)
    return True


def _tend_mounts(directory: str) -> int:
    """Remove cache mounts that were not used for long, the oldest first; the bytes that all others have."""
    if not os.path.isdir(directory):
        return 0
    found = sorted(caches.every(directory), key=lambda one: one.used)
    held = sum(one.size for one in found)
    # What commands wrote may belong to users that only its user namespace has.
    if os.geteuid() != 0 and not userns.is_inside():
        return held
    excess, before = held - bounds.MOUNTS, time.time() - bounds.MOUNT_UNUSED
    going: set[tuple[str, int]] = set()
    for one in found:
        if excess > 0 and one.used < before and not one.is_in_use:
            going.add((one.key, one.copy))
            excess -= one.size
    if going:
        gone = caches.prune(directory, lambda one: (one.key, one.copy) in going and one.used < before)
        held -= sum(one.size for one in gone)
    return held
