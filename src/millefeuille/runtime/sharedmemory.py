"""Shared memory: the /dev/shm of a running container, for another one that joins its IPC namespace.

That file system is mounted in the other container's mount namespace only. A thread goes there and copies the
mount, which is then attached in the namespace of the caller.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

from millefeuille import files, kernel
from millefeuille.annotations import Any, Final
from millefeuille.errors import Failed
from millefeuille.later import pattern

_JOINED: Final = pattern(r"ns:/proc/(\d+)/ns/ipc")


class CannotShare(Failed):
    """The other container's shared memory cannot be reached."""


def joined(host_config: Mapping[str, Any], place: str) -> list[dict[str, Any]]:
    """What a container mounts whose `IpcMode` joins another one (see `namespaces`), nothing for others.

    The copy is attached at `place`, a directory that is made. Raises CannotShare.
    """
    found = _JOINED.fullmatch(host_config.get("IpcMode") or "")
    if found is None:
        return []
    files.make_directory(place)
    attach(int(found[1]), place)
    return [{"destination": "/dev/shm", "type": "bind", "source": place, "options": ["rbind", "rprivate"]}]


def attach(pid: int, place: str) -> None:
    """Attach at the directory `place` what process `pid` has at /dev/shm. Raises CannotShare."""
    try:
        namespace = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        try:
            mount = _copied(namespace)
        finally:
            os.close(namespace)
        try:
            files.act("mount", place)
            kernel.move_mount(mount, place)
        finally:
            os.close(mount)
    except OSError as error:
        raise CannotShare(f"share memory with process {pid}: {error.strerror}") from None


def _copied(namespace: int) -> int:
    """A detached copy of the mount. The thread that makes it does not come back, and does nothing else:
    what it imported would come from the container.
    """
    results: list[int | OSError] = []

    def go() -> None:
        try:
            # A thread that shares its root and its directory with others cannot go.
            kernel.unshare(kernel.CLONE_FS)
            kernel.enter_namespace(namespace, kernel.CLONE_NEWNS)
            results.append(kernel.open_tree("/dev/shm"))
        except OSError as error:
            results.append(error)

    thread = threading.Thread(target=go, name="shared memory")
    thread.start()
    thread.join()
    if isinstance(results[0], OSError):
        raise results[0]
    return results[0]
