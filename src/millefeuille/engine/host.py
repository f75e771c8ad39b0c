"""The engine's host for running: snapshots of this store, the runtime found, a directory for bundles."""

from __future__ import annotations

import hashlib
import os

from millefeuille import files
from millefeuille.engine.snapshots import snapshotter
from millefeuille.runtime import probe
from millefeuille.runtime.once import Host
from millefeuille.settings import Settings
from millefeuille.store.store import Store


def host(settings: Settings, store: Store) -> Host:
    """What `run_once` needs. Raises RuntimeMissing, OSError."""
    # Stores at different roots must not sweep each other's containers.
    identity = hashlib.sha256(os.fsencode(settings.root)).hexdigest()[:12]
    directory = os.path.join(settings.run, identity)
    for path in (settings.run, directory, os.path.join(directory, "runtime")):
        files.make_directory(path)
    return Host(
        snapshots=snapshotter(settings, store),
        runtime=probe.find(os.path.join(directory, "runtime")),
        directory=os.path.join(directory, "containers"),
    )
