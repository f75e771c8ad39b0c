"""The root of a container without what is mounted in it: what the image and the container itself hold.

A running container's own mount of it is copied, alone, in its mount namespace: a second overlay over the same
files would see changes late, or never.
"""

from __future__ import annotations

import os
import threading
from contextlib import AbstractContextManager

from millefeuille import kernel
from millefeuille.containers import idle, records, roots
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.snapshots import attach
from millefeuille.snapshots.snapshotter import Snapshotter


def opened(snapshots: Snapshotter, place: Place, container: Container) -> AbstractContextManager[int]:
    """A descriptor of the root, attached nowhere, for the length of the block.

    Raises NotFound, MountFailed, MountDenied, OSError.
    """
    return idle.root(
        place, container, lambda: _running(place, container), lambda: roots.mounted(snapshots, container)
    )


def _running(place: Place, container: Container) -> int | None:
    """A copy of the mount that the container's processes have as their root; None when it does not run."""
    told = records.state(place, container.id)
    if not told.running or not told.pid:
        return None
    try:
        namespace = os.open(f"/proc/{told.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, ProcessLookupError):
        return None
    try:
        # The monitor has not waited for its child yet as long as the state says that it runs.
        now = records.state(place, container.id)
        return _copied(namespace) if now.running and now.pid == told.pid else None
    finally:
        os.close(namespace)


def _copied(namespace: int) -> int:
    """A detached copy of the root mount of a mount namespace, without those below it."""
    copies: list[int] = []
    failures: list[OSError] = []

    def enter() -> None:  # a thread of its own: it cannot come back. It makes system calls, and nothing else
        try:
            kernel.unshare(kernel.CLONE_FS)
            kernel.enter_namespace(namespace, kernel.CLONE_NEWNS)
            copies.append(kernel.open_tree("/"))
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=enter, name="root")
    thread.start()
    thread.join()
    if failures:
        raise attach.explain(failures[0], "look at the container's root") from failures[0]
    return copies[0]
