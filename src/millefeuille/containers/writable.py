"""Whether files may be put at a path of a container: not into a root or a volume that is read-only for it."""

from __future__ import annotations

import os

from millefeuille.containers.record import Container
from millefeuille.errors import Invalid
from millefeuille.layers.following import cleaned


class MarkedReadOnly(Invalid):
    """The container's root, or the volume at the path, is read-only."""


def check_writable(container: Container, path: str) -> None:
    """Raise MarkedReadOnly for a path without links that the container's processes could not write to."""
    wanted = cleaned(os.fsencode(path)) + b"/"
    covering = [
        (target, mount)
        for mount in container.mounts
        if wanted.startswith(target := cleaned(os.fsencode(mount.target)) + b"/")
    ]
    if covering:
        _, mount = max(covering, key=lambda pair: len(pair[0]))
        if mount.read_only:
            raise MarkedReadOnly("mounted volume is marked read-only")
    elif container.host_config.get("ReadonlyRootfs"):
        raise MarkedReadOnly("container rootfs is marked read-only")
