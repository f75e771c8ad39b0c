"""The root of a container as one descriptor, whether it runs or not: what looks into it is anchored there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager

from millefeuille.containers import idle, records, stubs
from millefeuille.containers.host import Host
from millefeuille.containers.record import Container
from millefeuille.snapshots import attach
from millefeuille.snapshots.snapshotter import Snapshotter, close_all, let_go


def opened(host: Host, container: Container) -> AbstractContextManager[int]:
    """A descriptor of the root: as its processes see it while it runs; mounted otherwise, for the length of
    the block, in which the container is not started. Raises NotFound, LockTimeout, MountFailed, MountDenied,
    OSError.
    """
    return idle.root(
        host.place, container, lambda: running(host, container), lambda: mounted(host.snapshots, container)
    )


@contextlib.contextmanager
def mounted(snapshots: Snapshotter, container: Container) -> Iterator[int]:
    """A descriptor of the root of a container whose lock is held, attached nowhere, for the length of the
    block. Raises NotFound, MountFailed, MountDenied, OSError.
    """
    mounts = snapshots.mounts(container.id)
    try:
        try:
            descriptor = attach.opened(mounts)
        finally:
            close_all(mounts)
        try:
            stubs.offer(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)
    finally:
        let_go(mounts)


def running(host: Host, container: Container) -> int | None:
    """The root of the container's first process; None when it does not run, and its ID may be another's."""
    told = records.state(host.place, container.id)
    pid = told.pid
    if not told.running or not pid:
        return None
    try:
        descriptor = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    # The monitor has not waited for its child yet as long as the state says that it runs.
    now = records.state(host.place, container.id)
    if now.pid == pid and now.running:
        return descriptor
    os.close(descriptor)
    return None
