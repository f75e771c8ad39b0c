"""Host: what containers need of the machine they run on."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.containers.place import Place
from millefeuille.networks.networks import Networks
from millefeuille.runtime.runc import Runc
from millefeuille.snapshots.snapshotter import Snapshotter
from millefeuille.store.store import Store
from millefeuille.values import dataclass, field
from millefeuille.volumes.volumes import Volumes


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The parts, chosen. `command` is how this program is called for this store, with `environment`, by a
    monitor that has something to clean up. `rootless`: in a user namespace of an ordinary user.
    """

    store: Store
    place: Place
    snapshots: Snapshotter
    runtime: Runc
    networks: Networks
    volumes: Volumes
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    rootless: bool = False
