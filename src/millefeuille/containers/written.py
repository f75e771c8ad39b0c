"""What a container wrote, opened: the upper directory, and the tree it stands on beside it."""

from __future__ import annotations

from contextlib import AbstractContextManager

from millefeuille.containers.record import Container
from millefeuille.layers.changes import Written
from millefeuille.snapshots import written
from millefeuille.snapshots.snapshotter import Snapshotter


def opened(snapshots: Snapshotter, container: Container) -> AbstractContextManager[Written]:
    """What the container wrote, and may go on to write. Raises NotFound, MountFailed, MountDenied."""
    return written.opened(snapshots, container.id)
