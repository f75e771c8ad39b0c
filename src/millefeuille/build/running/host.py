"""RunHost: what a RUN needs of the host, and where what it makes lies."""

from __future__ import annotations

import os
from collections.abc import Iterable

from millefeuille import files
from millefeuille.runtime.runtime import Runtime
from millefeuille.snapshots.snapshotter import Snapshotter
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHost:
    """A snapshotter, a runtime, and two absolute directories.

    `directory` is for bundles, where nothing outlives a boot, and for nobody else; `work` lies on the
    store's disk, for caches, roots that are kept, and what is thrown away. `limited` says whether the
    runtime can set limits, `rootless` that this process is in an ordinary user's namespace. `allowed` are
    the entitlements that the user granted.
    """

    snapshots: Snapshotter
    runtime: Runtime
    directory: str
    work: str
    limited: bool = True
    rootless: bool = False
    allowed: frozenset[str] = frozenset()

    @property
    def private(self) -> str:
        """The directory that each RUN mounts over, where only it sees what is in there.

        It stays: to remove a directory that was mounted on takes milliseconds.
        """
        return f"{self.directory}-private"

    @property
    def caches(self) -> str:
        """The directory of cache mounts."""
        return f"{self.work}/cache-mounts"

    @property
    def kept(self) -> str:
        """The directory of records of roots that are kept."""
        return f"{self.work}/kept"

    def scratch(self, id: str) -> str:
        """The directory of what one RUN throws away."""
        return f"{self.work}/scratch/{id}"

    def record(self, id: str) -> str:
        """The record of a root that is kept."""
        return f"{self.kept}/{id}.json"


def tree_key(id: str, number: int | str) -> str:
    """The key of a root that a RUN has beside its own, which its directory `scratch` has a name for."""
    return f"{id}-{number}"


def remove(host: RunHost, id: str, keys: Iterable[str]) -> None:
    """End a RUN and remove all that it made, but for a root that is kept: `keys` are its roots."""
    host.runtime.delete(id)
    for key in keys:
        if not os.path.exists(host.record(key)):
            host.snapshots.remove(key)
    files.remove_tree(host.scratch(id))
    # Last: as long as it is there, a later build finds the rest.
    files.remove_tree(f"{host.directory}/{id}")
