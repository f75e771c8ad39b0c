"""The engine's runner of RUN steps. A build that finds all of them in the cache does not load this."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from millefeuille import files
from millefeuille.build.running.changed import layer_changes
from millefeuille.build.running.host import RunHost
from millefeuille.build.running.run import run_step
from millefeuille.build.running.sweep import sweep
from millefeuille.build.running.wish import RunWish
from millefeuille.build.steps.step import Log, Runner
from millefeuille.engine.place import identity, place, run_directory
from millefeuille.engine.rundirectory import prepared
from millefeuille.engine.snapshots import snapshotter
from millefeuille.layers.members import layer_members
from millefeuille.layers.tarstream import Member
from millefeuille.runtime import probe, userns
from millefeuille.settings import Settings
from millefeuille.store.store import Store


def run_host(settings: Settings, store: Store, allowed: frozenset[str] = frozenset()) -> RunHost:
    """What RUN needs, with what killed builds left removed first.

    For an ordinary user, this process becomes root in a user namespace; it must have one thread only.
    Raises RuntimeMissing, RangesMissing, UserNamespaceDenied, RunDirectoryDenied, OSError.
    """
    rootless = userns.enter(settings.root) or userns.is_inside()
    settings = prepared(settings)
    where = place(settings)
    directory, work = os.path.join(run_directory(settings), "builds"), os.path.join(settings.root, "build")
    for path in (where.runtime, directory, work):
        files.make_directory(path)
    runtime = probe.find(where.runtime, rootless=rootless, store=identity(settings))
    host = RunHost(
        snapshots=snapshotter(settings, store, building=True),
        runtime=runtime,
        directory=directory,
        work=work,
        limited=runtime.limits,
        rootless=rootless,
        allowed=allowed,
    )
    sweep(host)
    return host


def remains(settings: Settings) -> bool:
    """Whether commands of builds have left roots or caches, for which `run_host` is needed."""
    work = os.path.join(settings.root, "build")
    places = (os.path.join(work, "kept"), os.path.join(work, "cache-mounts"))
    return any(name != "lock" for place in places if os.path.isdir(place) for name in os.listdir(place))


@contextlib.contextmanager
def runner(settings: Settings, store: Store, allowed: frozenset[str]) -> Iterator[Runner]:
    """What runs the commands of one build; at the end, what was mounted for them is let go.

    Raises as `run_host` does.
    """
    host = run_host(settings, store, allowed)

    @contextlib.contextmanager
    def run(
        wish: RunWish, log: Log, *, stop: threading.Event, epoch: int | None, keep: bool
    ) -> Iterator[Iterator[Member]]:
        with run_step(host, wish, log, stop=stop, keep=keep) as written:
            yield layer_members(layer_changes(written), epoch=epoch)

    try:
        yield run
    finally:
        host.snapshots.release_idle()
