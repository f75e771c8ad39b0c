"""The engine's host for running: snapshots of this store, the runtime found, a directory for bundles."""

from __future__ import annotations

import os

from millefeuille import files
from millefeuille.engine.place import identity, run_directory
from millefeuille.engine.rundirectory import prepared
from millefeuille.engine.snapshots import snapshotter
from millefeuille.runtime import probe
from millefeuille.runtime.once import Host
from millefeuille.settings import Settings
from millefeuille.store.store import Store


def host(settings: Settings, store: Store) -> Host:
    """What `run_once` needs. Raises RuntimeMissing, RunDirectoryDenied, OSError."""
    settings = prepared(settings)
    directory = run_directory(settings)
    files.make_directory(os.path.join(directory, "runtime"))
    return Host(
        snapshots=snapshotter(settings, store),
        runtime=probe.find(os.path.join(directory, "runtime"), store=identity(settings)),
        directory=os.path.join(directory, "containers"),
    )
