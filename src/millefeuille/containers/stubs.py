"""Stubs: places in a container's root that the engine makes for mounts.

Docker has a layer of its own for them, between the image and what the container writes, and never shows it.
"""

from __future__ import annotations

from millefeuille.annotations import Final

STUBS: Final = frozenset(
    {
        b".dockerenv", b"dev", b"dev/console", b"dev/mqueue", b"dev/pts", b"dev/shm", b"etc/hostname",
        b"etc/hosts", b"etc/mtab", b"etc/resolv.conf", b"proc", b"sys",
    }
)  # fmt: skip
