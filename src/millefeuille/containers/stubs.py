"""Stubs: places in a container's root that the engine makes for mounts.

Docker has a layer of its own for them, between the image and what the container writes: `export` tells of
them, `diff` and `commit` never do.

Source: moby v28, daemon/initlayer/setup_unix.go.
"""

from __future__ import annotations

import contextlib
import os

from millefeuille.annotations import Final
from millefeuille.runtime import inroot

_MARK: Final = "/.dockerenv"  # programs look for it
_FILES: Final = ("/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/dev/console")
_DIRECTORIES: Final = ("/dev/pts", "/dev/shm", "/proc", "/sys")
_MOUNTS: Final = "/etc/mtab"
STUBS: Final = frozenset(
    os.fsencode(path[1:]) for path in (_MARK, *_FILES, *_DIRECTORIES, _MOUNTS, "/dev", "/dev/mqueue")
)


def make(root: int) -> None:
    """Make them below descriptor `root`, once: what the image has there gives way to an empty file.

    Raises UnsafePath, OSError.
    """
    if _is_made(root):
        return
    for path in _FILES:
        inroot.clear(root, path)
        inroot.make_file(root, path)
    for path in _DIRECTORIES:
        inroot.make_directory(root, path)
    inroot.clear(root, _MOUNTS)
    inroot.make_link(root, _MOUNTS, "/proc/mounts")
    # Last, because it tells that the others are made.
    inroot.make_file(root, _MARK)


def offer(root: int) -> None:
    """The same for who looks at a root that does not run: one that has no room for them is left as it is."""
    with contextlib.suppress(inroot.UnsafePath):
        make(root)


def _is_made(root: int) -> bool:
    try:
        os.stat(_MARK[1:], dir_fd=root, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
