"""In which extended attributes overlayfs keeps its marks, for this process."""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.snapshots.snapshotter import Marks

_EVERYBODY: Final = [0, 0, (1 << 32) - 1]


def marks() -> Marks:
    """`trusted` for the host's own processes, `user` within a user namespace, where that is all there is.

    Source: Documentation/filesystems/overlayfs.rst of the Linux kernel, "User xattr".
    """
    with open("/proc/self/uid_map") as file:
        return "trusted" if [int(word) for word in file.read().split()] == _EVERYBODY else "user"
