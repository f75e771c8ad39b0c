"""Leftovers: what commands that were killed have left beside the database, and chains that nobody uses now.

    processes and roots of containers and of RUN steps · roots of mounts that never came · mounted chains

Commands on containers and builds look for their own; those that give room back look for everybody's.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from millefeuille.engine.place import place, run_directory
from millefeuille.errors import MilleError
from millefeuille.later import Later
from millefeuille.settings import Settings
from millefeuille.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.containers import sweep
    from millefeuille.engine import containers, host, mounts, running, snapshots
    from millefeuille.images import mounting
    from millefeuille.runtime import bundles
    from millefeuille.snapshots.erofs import attached
    from millefeuille.store import containers as rows
else:
    # Most of the time there is nothing to do.
    sweep = Later("millefeuille.containers.sweep")
    containers = Later("millefeuille.engine.containers")
    host = Later("millefeuille.engine.host")
    mounts = Later("millefeuille.engine.mounts")
    running = Later("millefeuille.engine.running")
    snapshots = Later("millefeuille.engine.snapshots")
    mounting = Later("millefeuille.images.mounting")
    bundles = Later("millefeuille.runtime.bundles")
    attached = Later("millefeuille.snapshots.erofs.attached")
    rows = Later("millefeuille.store.containers")


def let_go(settings: Settings) -> None:
    """Unmount the chains that nobody uses, whose files take room as long as they are mounted.

    Raises MountDenied, OSError.
    """
    directory = os.path.join(run_directory(settings), "chains")
    if len(_names(directory)) > 1:  # beside the lock
        attached.Attached(directory).release_idle()


def clear(settings: Settings, store: Store) -> None:
    """End and remove what killed commands left. What is in the way of that is left to the next time."""
    with contextlib.suppress(MilleError, OSError):
        if sweep.abandoned(store, place(settings)):
            containers.host(settings, store)
    with contextlib.suppress(MilleError, OSError):
        if _has_builds(settings):
            running.run_host(settings, store)
    with contextlib.suppress(MilleError, OSError):
        for key in _looks(settings, store):
            snapshots.snapshotter(settings, store).remove(key)
    with contextlib.suppress(MilleError, OSError):
        let_go(settings)


def unowned(settings: Settings, store: Store) -> Iterator[str]:
    """The paths of roots on the disk that belong to no container, no step of a build and no mount."""
    keys = _names(store.disk.snapshots)
    if not keys:
        return
    with store.reading() as tx:
        known = {row.id for row in rows.rows(tx)}
    run, build = run_directory(settings), os.path.join(settings.root, "build")
    for directory in (f"{run}/builds", f"{run}/containers"):
        known |= set(_names(directory)) - set(bundles.abandoned(directory))
    kept = {name.removesuffix(".json") for name in _names(f"{build}/kept")}
    stale = set(_looks(settings, store))
    for key in keys:
        is_look = key.startswith(mounting.LOOK)
        if key in stale or not (is_look or key in kept or key.partition("-")[0] in known):
            yield f"{store.disk.snapshots}/{key}"
    for name in _names(f"{build}/scratch"):
        if name not in known:
            yield f"{build}/scratch/{name}"


def _has_builds(settings: Settings) -> bool:
    directory = os.path.join(run_directory(settings), "builds")
    begun = _names(os.path.join(settings.root, "build", "scratch"))
    return any(name != "lock" for name in _names(directory)) or bool(begun)


def _looks(settings: Settings, store: Store) -> list[str]:
    """The keys of roots that were opened for mounts of images which are not being made any more."""
    keys = [key for key in _names(store.disk.snapshots) if key.startswith(mounting.LOOK)]
    if keys:
        list(mounts.mounts(settings))  # clears away what was claimed, and never mounted
    return [key for key in keys if not mounts.mounts(settings).has(key.removeprefix(mounting.LOOK))]


def _names(directory: str) -> list[str]:
    return sorted(os.listdir(directory)) if os.path.isdir(directory) else []
