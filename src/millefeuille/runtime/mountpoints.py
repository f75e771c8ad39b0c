"""The places in an image where a runtime will mount: they must not lead elsewhere."""

from __future__ import annotations

import os
import stat

from millefeuille import kernel
from millefeuille.annotations import Final
from millefeuille.errors import Invalid

_PLACES: Final = ("dev", "proc", "sys")


class UnsafeRoot(Invalid):
    """The image has something else than a directory where the runtime mounts the kernel's file systems."""


def check(root: int) -> None:
    """Hold that /dev, /proc and /sys below descriptor `root` are directories or absent. Raises UnsafeRoot.

    A link there has made runtimes mount, or write, outside of the root (CVE-2025-31133, CVE-2026-41579).
    """
    for place in _PLACES:
        flags = os.O_PATH | os.O_NOFOLLOW
        try:
            descriptor = kernel.openat2(root, place, flags, resolve=kernel.RESOLVE_IN_ROOT)
        except FileNotFoundError:
            continue
        try:
            mode = os.fstat(descriptor).st_mode
        finally:
            os.close(descriptor)
        if not stat.S_ISDIR(mode):
            raise UnsafeRoot(f"the image's /{place} is not a directory")
