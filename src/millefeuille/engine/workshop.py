"""The engine's workshop for builds: store, cache, base images and what RUN needs, wired together."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from millefeuille import files
from millefeuille.build.cache.steps import StepCache
from millefeuille.build.journal import Journal
from millefeuille.build.layering import Layering
from millefeuille.build.reasons import Reasons
from millefeuille.build.report import Reporter
from millefeuille.build.request import Request
from millefeuille.build.running.host import RunHost
from millefeuille.build.running.sweep import sweep
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.steps.step import Workshop
from millefeuille.engine.bases import Fetch, StoredBases
from millefeuille.engine.place import place, run_directory
from millefeuille.engine.snapshots import snapshotter
from millefeuille.runtime import probe, userns
from millefeuille.settings import Settings
from millefeuille.store import leases
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store


def run_host(settings: Settings, store: Store, allowed: frozenset[str]) -> RunHost:
    """What RUN needs, with what killed builds left removed first.

    For an ordinary user, this process becomes root in a user namespace; it must have one thread only.
    Raises RuntimeMissing, RangesMissing, UserNamespaceDenied, OSError.
    """
    rootless = userns.enter() or userns.is_inside()
    where = place(settings)
    directory, work = os.path.join(run_directory(settings), "builds"), os.path.join(settings.root, "build")
    for path in (settings.run, run_directory(settings), where.runtime, directory, work):
        files.make_directory(path)
    host = RunHost(
        snapshots=snapshotter(settings, store),
        runtime=probe.find(where.runtime, rootless=rootless),
        directory=directory,
        work=work,
        rootless=rootless,
        allowed=allowed,
    )
    sweep(host)
    return host


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a build is watched and fed by: a reporter, a journal, what brings images in; whether that is to
    ask the registry for what is here too; the entitlements that were granted.
    """

    reporter: Reporter
    journal: Journal
    fetch: Fetch
    pull: bool = False
    allowed: frozenset[str] = frozenset()


@contextlib.contextmanager
def workshop(
    settings: Settings, store: Store, request: Request, tools: Tools,
    *, context: DirectorySource | None, contexts: Mapping[str, DirectorySource],
) -> Iterator[tuple[Workshop, Lease]]:  # fmt: skip
    """A workshop, and the lease that it claims everything for; what it used is noted when the block ends."""
    lock, made = threading.Lock(), functools.cache(lambda: run_host(settings, store, tools.allowed))

    def host() -> RunHost:
        with lock:
            return made()

    if os.geteuid() != 0:
        host()  # later there are threads
    reasons = Reasons(store.disk, tools.reporter, tools.journal) if request.explain else None
    with leases.lease(store.disk, "build") as lease:
        cache = StepCache(store, lease)
        yield (
            Workshop(
                layering=Layering(store, cache, tools.reporter, tools.journal, reasons),
                request=request,
                bases=StoredBases(store, lease, tools.fetch, always=tools.pull),
                host=host,
                context=context,
                contexts=contexts,
            ),
            lease,
        )
        cache.finish()
