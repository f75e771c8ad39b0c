"""Extended attributes that a layer may carry. All others are dropped, and noted.

`trusted.*`, and `user.overlay.*` steer overlayfs; labels and signatures of security modules belong to the
host that made them.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterable

from millefeuille.annotations import Final
from millefeuille.later import parse
from millefeuille.layers.refusal import Limits, TarError

_SCHILY: Final = b"SCHILY.xattr."
_LIBARCHIVE: Final = b"LIBARCHIVE.xattr."
_ACLS: Final = (b"system.posix_acl_access", b"system.posix_acl_default")
_ACL_TAGS: Final = (0x01, 0x02, 0x04, 0x08, 0x10, 0x20)
_ACL_NEEDED: Final = (0x01, 0x04, 0x20)  # the owner, the group, all others
_ACL_MASK: Final = 0x10
# include/uapi/linux/capability.h: the size that belongs to each revision of the attribute.
_CAPABILITY_SIZES: Final = {0x02000000: 20, 0x03000000: 24}


def from_records(
    records: Iterable[tuple[bytes, bytes]], limits: Limits
) -> tuple[dict[bytes, bytes], list[bytes]]:
    """The attributes that PAX records hold: those kept, and the names of those dropped.

    Both spellings are read, that of star (raw) and that of libarchive (URL and base64); the first wins.
    Raises TarError.
    """
    raw, encoded = {}, {}
    for key, value in records:
        if key.startswith(_SCHILY):
            raw[key.removeprefix(_SCHILY)] = value
        elif key.startswith(_LIBARCHIVE):
            encoded[parse.unquote_to_bytes(key.removeprefix(_LIBARCHIVE))] = _base64(value)
    found = {**encoded, **raw}
    for name, value in found.items():
        if not name or len(name) > limits.xattr_name or b"\0" in name:
            raise TarError("xattr", "the name of an extended attribute is empty, too long or has a NUL")
        if len(value) > limits.xattr_value:
            raise TarError("xattr", f"the extended attribute {name!r} has {len(value)} bytes")
    if sum(len(name) + len(value) for name, value in found.items()) > limits.xattrs:
        raise TarError("xattr", f"an entry has more than {limits.xattrs} bytes of extended attributes")
    kept = {name: value for name, value in found.items() if carried(name, value)}
    return kept, [name for name in found if name not in kept]


def may_carry(name: bytes) -> bool:
    """Whether there are values with which a layer may carry this attribute."""
    return name.startswith(b"user.") or name == b"security.capability" or name in _ACLS


def carried(name: bytes, value: bytes) -> bool:
    """Whether a layer may carry this attribute with this value."""
    if name.startswith(b"user."):
        return len(name) > 5 and name != b"user.overlay" and not name.startswith(b"user.overlay.")
    if name == b"security.capability":
        return len(value) >= 4 and _CAPABILITY_SIZES.get(
            struct.unpack_from("<I", value)[0] & 0xFF000000
        ) == len(value)
    return name in _ACLS and _is_acl(value)


def _is_acl(value: bytes) -> bool:
    """Whether `value` is a POSIX ACL as the kernel stores it (include/uapi/linux/posix_acl_xattr.h)."""
    if len(value) < 4 or len(value) % 8 != 4 or struct.unpack_from("<I", value)[0] != 2:
        return False
    entries = list(struct.iter_unpack("<HHI", value[4:]))
    tags = [tag for tag, _, _ in entries]
    if tags != sorted(tags) or not all(tag in _ACL_TAGS and bits <= 7 for tag, bits, _ in entries):
        return False
    # Without one of these, or with two, setxattr(2) refuses the list; and one of named users without a mask.
    needed = not set(tags) <= set(_ACL_NEEDED)
    return [tags.count(tag) for tag in _ACL_NEEDED] == [1, 1, 1] and tags.count(_ACL_MASK) == needed


def _base64(value: bytes) -> bytes:
    try:
        padded = value.rstrip(b"=")
        return binascii.a2b_base64(padded + b"=" * (-len(padded) % 4), strict_mode=True)
    except binascii.Error as error:
        raise TarError("xattr", f"an extended attribute is not base64 ({error})") from error
