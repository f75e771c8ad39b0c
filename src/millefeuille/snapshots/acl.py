"""Lists of access (POSIX ACLs) as chmod(2) leaves them.

Linux keeps what a mode and a list both say in agreement. EROFS shows what its image holds, so the image must
hold what a disk would after setxattr(2) and chmod(2): a list may never allow more than the mode does.
Source: fs/posix_acl.c of the Linux kernel, `posix_acl_chmod`, `posix_acl_equiv_mode`;
include/uapi/linux/posix_acl_xattr.h.
"""

from __future__ import annotations

from struct import Struct

from millefeuille.annotations import Final

_VERSION: Final = 4  # bytes
_ENTRY: Final = Struct("<HHI")  # tag, permissions, user or group
_OWNER, _GROUP, _MASK, _OTHERS = 0x01, 0x04, 0x10, 0x20


def with_mode(value: bytes, mode: int) -> bytes | None:
    """The list `value`, as the attribute holds it, of a file that is given `mode` then.

    None for a list that says no more than a mode, which no disk keeps.
    """
    entries = list(_ENTRY.iter_unpack(value[_VERSION:]))
    tags = [tag for tag, _, _ in entries]
    if set(tags) <= {_OWNER, _GROUP, _OTHERS}:
        return None
    # With a mask, the group's part of a mode is the mask's.
    told = {_OWNER: mode >> 6, _MASK if _MASK in tags else _GROUP: mode >> 3, _OTHERS: mode}
    changed = (_ENTRY.pack(tag, told.get(tag, bits) & 7, who) for tag, bits, who in entries)
    return value[:_VERSION] + b"".join(changed)
