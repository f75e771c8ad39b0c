"""Initial: what a container has from its creation on: its working directory, and new volumes with what the
image has at their places.

`create` sees to it at once; where the image has the directory, from what shows the image's chain, without a
root of its own. `run` leaves it to the start, which mounts the root anyway; so does whoever was killed on the
way. An empty file beside the record tells that the volumes are filled: one that is emptied before the first
start, or after it, stays empty.

Source: moby v20.10.24, daemon/create_unix.go.
"""

from __future__ import annotations

import os

from millefeuille import files, kernel
from millefeuille.containers import mounts, records
from millefeuille.containers.host import Host
from millefeuille.containers.record import NEVER, Container
from millefeuille.later import Later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.containers import roots, written
    from millefeuille.runtime import process
else:
    process = Later("millefeuille.runtime.process")
    roots = Later("millefeuille.containers.roots")
    written = Later("millefeuille.containers.written")


def furnish(host: Host, container: Container) -> None:
    """Give it to a container that lacks it, does not run, and whose lock is held.

    Raises BadMount, InvalidDirectory, UnsafePath, NoSuchContainer, MountFailed, MountDenied, TooDeep,
    OSError.
    """
    if not _is_new(host, container):
        return
    directory, filling = _directory(container), mounts.has_new_volumes(host, container)
    if filling or directory:
        with written.opened(host.snapshots, container) as found:
            if directory and not _has(found.lower, directory):
                with roots.mounted(host.snapshots, container) as root:
                    complete(host, container, root)
                return
            if found.lower is not None:
                mounts.check_volumes(host, container, found.lower)
                mounts.fill_volumes(host, container, found.lower)
    _tell(host, container)


def complete(host: Host, container: Container, root: int) -> None:
    """The same where the root is mounted, whose descriptor is `root`, and what is held at any start: that the
    directory is there, and volumes can be mounted.

    Raises BadMount, InvalidDirectory, UnsafePath, TooDeep, OSError.
    """
    if directory := _directory(container):
        process.make_directory(root, directory)
    mounts.check_volumes(host, container, root)
    if _has_volumes(container) and _is_new(host, container):
        mounts.fill_volumes(host, container, root)
        _tell(host, container)


def _directory(container: Container) -> str:
    """The working directory, "" for one that is there in any case, or that no process may start in."""
    if container.config.get("WorkingDir") in (None, "", "/"):
        return ""
    try:
        return process.directory(container.config, process.Wishes())
    except process.InvalidDirectory:
        return ""  # the start tells of it


def _has(root: int | None, directory: str) -> bool:
    """Whether the tree with the descriptor `root` has the directory, be it behind links."""
    if root is None:
        return False
    try:
        flags = os.O_PATH | os.O_DIRECTORY
        os.close(kernel.openat2(root, directory, flags, resolve=kernel.RESOLVE_IN_ROOT))
    except OSError:
        return False  # who makes it tells why that cannot be
    return True


def _is_new(host: Host, container: Container) -> bool:
    """Whether it has never run, and its volumes have not been filled."""
    if os.path.exists(host.place.filled(container.id)):
        return False
    return records.recorded(host.place, container.id).started == NEVER


def _has_volumes(container: Container) -> bool:
    return any(point.type == "volume" for point in container.mounts)


def _tell(host: Host, container: Container) -> None:
    if _has_volumes(container):
        os.close(files.create(host.place.filled(container.id), exclusive=False))
