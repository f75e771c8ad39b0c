"""The engine's host for containers: snapshots, runtime, networks and volumes of one store."""

from __future__ import annotations

import sys

from millefeuille import files
from millefeuille.containers.host import Host
from millefeuille.containers.sweep import sweep
from millefeuille.engine.networks import networks
from millefeuille.engine.place import identity, place
from millefeuille.engine.rundirectory import prepared
from millefeuille.engine.snapshots import snapshotter
from millefeuille.engine.volumes import volumes
from millefeuille.runtime import probe, userns
from millefeuille.settings import Settings
from millefeuille.store.store import Store

# What a monitor's last command must find as this one did.
_HANDED_ON = ("MILLE_SNAPSHOTTER", "XDG_RUNTIME_DIR", "HOME")


def host(settings: Settings, store: Store, *, swept: bool = True) -> Host:
    """What commands on containers need; `swept`: with what earlier ones left put in order first.

    For an ordinary user, this process becomes root in a user namespace; it must have one thread only.
    Raises RuntimeMissing, RangesMissing, UserNamespaceDenied, RunDirectoryDenied, OSError.
    """
    rootless = userns.enter(settings.root) or userns.is_inside()
    settings = prepared(settings)
    where = place(settings)
    files.make_directory(where.runtime)
    made = Host(
        store=store,
        place=where,
        snapshots=snapshotter(settings, store),
        runtime=probe.find(where.runtime, rootless=rootless, store=identity(settings)),
        networks=networks(settings),
        volumes=volumes(settings),
        command=(sys.executable, "-I", "-m", "millefeuille", "--root", settings.root),
        environment={
            **{name: settings.environment[name] for name in _HANDED_ON if name in settings.environment},
            "MILLE_RUN": settings.run,
        },
        rootless=rootless,
    )
    if swept:
        sweep(made)
    return made
