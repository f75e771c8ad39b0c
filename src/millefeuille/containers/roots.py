"""The root of a container as one descriptor, whether it runs or not: what looks into it is anchored there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from millefeuille.containers import records, stubs
from millefeuille.containers.host import Host
from millefeuille.containers.record import Container
from millefeuille.snapshots import attach
from millefeuille.snapshots.snapshotter import close_all, let_go


@contextlib.contextmanager
def opened(host: Host, container: Container) -> Iterator[int]:
    """A descriptor of the root: as its processes see it while it runs, mounted for the length of the block
    and nowhere attached otherwise. Raises NotFound, MountFailed, MountDenied, OSError.
    """
    told = records.state(host.place, container.id)
    descriptor = _of_process(host, container, told.pid) if told.running and told.pid else None
    mounts = () if descriptor is not None else host.snapshots.mounts(container.id)
    try:
        if descriptor is None:
            try:
                descriptor = attach.opened(mounts)
            finally:
                close_all(mounts)
        try:
            if mounts:
                stubs.offer(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)
    finally:
        let_go(mounts)


def _of_process(host: Host, container: Container, pid: int) -> int | None:
    """The root of the container's first process; None when that has ended, and its ID may be another's."""
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
