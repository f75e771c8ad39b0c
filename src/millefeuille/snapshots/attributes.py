"""The extended attributes that Linux lets a file of a type and mode have. What a layer has more is left out.

EROFS would show an attribute that the kernel has no place for, and overlayfs then fails to copy the file up.
Source: fs/xattr.c of the Linux kernel, `xattr_permission`; fs/posix_acl.c; xattr(7).
"""

from __future__ import annotations

import stat
from collections.abc import Mapping

from millefeuille.annotations import Final
from millefeuille.snapshots import acl

_ACCESS: Final = b"system.posix_acl_access"
_DEFAULT: Final = b"system.posix_acl_default"


def can_have(mode: int, name: bytes) -> bool:
    """Whether a file with this mode can have an extended attribute of this name."""
    if name.startswith(b"user."):
        return stat.S_ISREG(mode) or stat.S_ISDIR(mode)
    if name == _DEFAULT:
        return stat.S_ISDIR(mode)
    return not (stat.S_ISLNK(mode) and name.startswith(b"system."))


def shown(mode: int, xattrs: Mapping[bytes, bytes]) -> Mapping[bytes, bytes]:
    """What a file has once it is given these attributes, and then this mode: the last word is the mode's."""
    found = {name: value for name, value in xattrs.items() if can_have(mode, name)}
    if _ACCESS in found:
        access = acl.with_mode(found.pop(_ACCESS), mode)
        if access is not None:
            found[_ACCESS] = access
    return found
