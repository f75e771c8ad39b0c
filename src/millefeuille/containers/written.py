"""What a container wrote, opened: the upper directory, and the tree it stands on beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from millefeuille.containers.record import Container
from millefeuille.layers.changes import Written
from millefeuille.snapshots import written
from millefeuille.snapshots.roots import SnapshotNotFound
from millefeuille.snapshots.snapshotter import Snapshotter
from millefeuille.store.containers import NoSuchContainer


@contextlib.contextmanager
def opened(snapshots: Snapshotter, container: Container) -> Iterator[Written]:
    """What the container wrote, and may go on to write. Raises NoSuchContainer, MountFailed, MountDenied."""
    try:
        with written.opened(snapshots, container.id) as found:
            yield found
    except SnapshotNotFound:
        raise NoSuchContainer(f"No such container: {container.name}") from None
