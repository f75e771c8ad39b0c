"""The extended attributes that Linux lets a file of some type have. What a layer has besides is left out.

EROFS would show an attribute that the kernel has no place for, and overlayfs then fails to copy the file up.
Source: fs/xattr.c of the Linux kernel, `xattr_permission`; xattr(7).
"""

from __future__ import annotations

import stat
from collections.abc import Mapping


def can_have(mode: int, name: bytes) -> bool:
    """Whether a file with this mode can have an extended attribute of this name."""
    if name.startswith(b"user."):
        return stat.S_ISREG(mode) or stat.S_ISDIR(mode)
    return not (stat.S_ISLNK(mode) and name.startswith(b"system."))


def possible(mode: int, xattrs: Mapping[bytes, bytes]) -> Mapping[bytes, bytes]:
    """The attributes of these that a file with this mode can have."""
    return {name: value for name, value in xattrs.items() if can_have(mode, name)}
