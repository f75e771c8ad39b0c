"""Sweep: what builds that were killed, or a restart of the machine, have left of their RUNs."""

from __future__ import annotations

import os

from millefeuille.build.running import caches, kept
from millefeuille.build.running.host import RunHost, remove, tree_key
from millefeuille.runtime.bundles import abandoned


def sweep(host: RunHost) -> list[str]:
    """End and remove it; the IDs of these RUNs. Every build begins with it. Raises OSError."""
    # In this order: who begins has a bundle first, and gives it up last.
    begun = _names(f"{host.work}/scratch")
    running = set(_names(host.directory))
    ids = sorted({*abandoned(host.directory), *(id for id in begun if id not in running)})
    for id in ids:
        remove(host, id, [id, *(tree_key(id, number) for number in _names(host.scratch(id)))])
    kept.tidy(host)
    caches.clear(host.caches)
    host.snapshots.release_idle()
    return ids


def _names(directory: str) -> list[str]:
    return os.listdir(directory) if os.path.isdir(directory) else []
