"""Initial: what a container has from its creation on: new volumes with what the image has at their places.

`create` sees to it at once, from what shows the image's chain and without a root of its own. `run` leaves it
to the start, which mounts the root anyway; so does whoever was killed on the way. An empty file beside the
record tells that it is done: a volume that is emptied before the first start, or after it, stays empty.

Source: moby v20.10.24, daemon/create_unix.go.
"""

from __future__ import annotations

import os

from millefeuille import files
from millefeuille.containers import mounts, records
from millefeuille.containers.host import Host
from millefeuille.containers.record import NEVER, Container
from millefeuille.later import Later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.containers import written
else:
    written = Later("millefeuille.containers.written")


def furnish(host: Host, container: Container) -> None:
    """Give it to a container that lacks it, does not run, and whose lock is held.

    Raises BadMount, NoSuchContainer, MountFailed, MountDenied, TooDeep, OSError.
    """
    if not _is_due(host, container):
        return
    if mounts.has_new_volumes(host, container):
        with written.opened(host.snapshots, container) as found:
            if found.lower is not None:
                mounts.check_volumes(host, container, found.lower)
                mounts.fill_volumes(host, container, found.lower)
    _tell(host, container)


def complete(host: Host, container: Container, root: int) -> None:
    """The same where the root is mounted, whose descriptor is `root`, and what is held at any start.

    Raises BadMount, TooDeep, OSError.
    """
    mounts.check_volumes(host, container, root)
    if _is_due(host, container):
        mounts.fill_volumes(host, container, root)
        _tell(host, container)


def _is_due(host: Host, container: Container) -> bool:
    """Whether it has volumes, and is new."""
    if not any(point.type == "volume" for point in container.mounts):
        return False
    if os.path.exists(host.place.filled(container.id)):
        return False
    return records.recorded(host.place, container.id).started == NEVER


def _tell(host: Host, container: Container) -> None:
    os.close(files.create(host.place.filled(container.id), exclusive=False))
