"""Modes, owners, times, devices and extended attributes at and past their bounds."""

from __future__ import annotations

import struct

from millefeuille.testing.hostile.case import Case, accept, refuse
from millefeuille.testing.rawtars import base256, directory, file, header, pax, xattr

_X = {b"x": "f "}
_CAPABILITY_2 = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)
_CAPABILITY_3 = struct.pack("<IIIIII", 0x03000001, 1 << 10, 0, 0, 0, 1000)
_OPEN_ACL = struct.pack(
    "<I" + "HHI" * 5, 2, 1, 7, 0xFFFFFFFF, 2, 7, 1000, 4, 5, 0xFFFFFFFF, 16, 7, 0xFFFFFFFF, 32, 5, 0xFFFFFFFF
)
_ACL = struct.pack("<I" + "HHI" * 3, 2, 1, 6, 0xFFFFFFFF, 4, 4, 0xFFFFFFFF, 32, 4, 0xFFFFFFFF)
_MANY = {b"SCHILY.xattr.user.%04d" % n: b"v" for n in range(1000)}
_LATEST = 9_223_372_036


def _one(id: str, about: str, *entries: bytes, notes: tuple[str, ...] = (), **attributes: object) -> Case:
    return accept(id, about, *entries, tree=_X, attributes={b"x": attributes}, notes=notes)


METADATA: tuple[Case, ...] = (
    _one("T6.01", "setuid, setgid and sticky stay", file(b"x", mode=0o7755), mode=0o107755),
    _one("T6.02", "other bits of the mode go", file(b"x", mode=0o1777777), mode=0o107777),
    refuse("T6.03", "a user ID of -1", file(b"x", uid=-1), rule="owner"),
    refuse("T6.04", "a user ID of 2^32", file(b"x", uid=1 << 32), rule="owner"),
    _one("T6.05", "a user ID in base 256", file(b"x", uid=4_000_000_000), uid=4_000_000_000),
    _one("T6.05b", "a user ID that changes none", file(b"x", uid=(1 << 32) - 1), uid=0),
    _one("T6.06a", "a PAX user ID", pax({b"uid": b"4000000000"}), file(b"x", uid=1), uid=4_000_000_000),
    refuse("T6.06b", "a negative PAX user ID", pax({b"uid": b"-1"}), file(b"x"), rule="pax"),
    refuse("T6.06c", "a hexadecimal PAX user ID", pax({b"uid": b"0x10"}), file(b"x"), rule="pax"),
    _one("T6.06d", "one of PAX that does", pax({b"gid": b"4294967295"}), file(b"x", gid=1), gid=0),
    _one(
        "T6.07", "names of owners say nothing", file(b"x", uid=7, user=b"root", group=b"root"), uid=7, gid=0
    ),
    _one("T6.08a", "a time before 1970", file(b"x", mtime=-1), mtime=-1, nsec=0),
    _one("T6.08b", "a time of 2^63", file(b"x", mtime=base256(1 << 63, 12)), mtime=_LATEST),
    _one("T6.09", "a PAX time of 21 digits", pax({b"mtime": b"9" * 21}), file(b"x"), mtime=_LATEST, nsec=0),
    refuse("T6.10a", "a PAX time with an exponent", pax({b"mtime": b"1e400"}), file(b"x"), rule="pax"),
    refuse("T6.10b", "a PAX time that is no number", pax({b"mtime": b"nan"}), file(b"x"), rule="pax"),
    _one(
        "T6.11a", "parts of a second", pax({b"mtime": b"12.3456789019"}), file(b"x"), mtime=12, nsec=345678901
    ),
    _one("T6.11b", "before 1970, too", pax({b"mtime": b"-1.25"}), file(b"x"), mtime=-2, nsec=750_000_000),
    accept(
        "T6.12",
        "devices and pipes",
        header(b"c", b"3", device=(1, 3)),
        header(b"b", b"4", device=(259, 65536)),
        header(b"p", b"6"),
        tree={b"c": "c 1:3", b"b": "b 259:65536", b"p": "p"},
    ),
    accept("T6.13", "a socket", header(b"s", b"s"), file(b"x"), tree=_X, notes=("socket",)),
    refuse("T6.14", "a device number of 2^32", header(b"c", b"3", device=(1 << 32, 0)), rule="device"),
    _one(
        "T6.15a",
        "a file capability",
        xattr(b"security.capability", _CAPABILITY_2),
        file(b"x"),
        xattrs={b"security.capability": _CAPABILITY_2},
    ),
    _one(
        "T6.15b",
        "with a root user",
        xattr(b"security.capability", _CAPABILITY_3),
        file(b"x"),
        xattrs={b"security.capability": _CAPABILITY_3},
    ),
    _one(
        "T6.15c",
        "cut short",
        xattr(b"security.capability", _CAPABILITY_2[:-1]),
        file(b"x"),
        xattrs={},
        notes=("xattr",),
    ),
    _one("T6.16", "a user attribute", xattr(b"user.a", b"\0=\n"), file(b"x"), xattrs={b"user.a": b"\0=\n"}),
    _one(
        "T6.17",
        "attributes of overlayfs, and of trust",
        pax({b"SCHILY.xattr.user.overlay.redirect": b"/", b"SCHILY.xattr.trusted.x": b"1"}),
        file(b"x"),
        xattrs={},
        notes=("xattr",),
    ),
    _one(
        "T6.18a",
        "an ACL",
        xattr(b"system.posix_acl_access", _ACL),
        file(b"x"),
        xattrs={b"system.posix_acl_access": _ACL},
    ),
    _one(
        "T6.18b",
        "a broken one",
        xattr(b"system.posix_acl_access", _ACL[:-3]),
        file(b"x"),
        xattrs={},
        notes=("xattr",),
    ),
    _one(
        "T6.18c",
        "one that allows more than the mode",
        xattr(b"system.posix_acl_access", _OPEN_ACL),
        file(b"x", mode=0o4600),
        xattrs={b"system.posix_acl_access": _OPEN_ACL},
    ),
    _one(
        "T6.18d",
        "a file's for what is made in it",
        xattr(b"system.posix_acl_default", _OPEN_ACL),
        file(b"x"),
        xattrs={b"system.posix_acl_default": _OPEN_ACL},
    ),
    _one(
        "T6.18e",
        "one of a user without a mask, which Linux refuses",
        xattr(b"system.posix_acl_access", _OPEN_ACL[:28] + _OPEN_ACL[36:]),
        file(b"x"),
        xattrs={},
        notes=("xattr",),
    ),
    _one(
        "T6.18f",
        "one of nobody",
        xattr(b"system.posix_acl_access", _ACL[:4]),
        file(b"x"),
        xattrs={},
        notes=("xattr",),
    ),
    refuse(
        "T6.19a",
        "an attribute's name of 256 bytes",
        xattr(b"user." + b"n" * 251, b""),
        file(b"x"),
        rule="xattr",
    ),
    refuse("T6.19b", "a value of 64 KiB and one", xattr(b"user.a", bytes(65537)), file(b"x"), rule="xattr"),
    _one(
        "T6.20",
        "a thousand attributes",
        pax(_MANY),
        file(b"x"),
        xattrs={key.removeprefix(b"SCHILY.xattr."): value for key, value in _MANY.items()},
    ),
    _one(
        "T6.21a",
        "in the spelling of libarchive",
        pax({b"LIBARCHIVE.xattr.user.a%3Db": b"AQI"}),
        file(b"x"),
        xattrs={b"user.a=b": b"\1\2"},
    ),
    refuse("T6.21b", "a NUL in its name", xattr(b"user.a\0b", b"1"), file(b"x"), rule="pax"),
    refuse("T6.21c", "no base64", pax({b"LIBARCHIVE.xattr.user.a": b"*"}), file(b"x"), rule="xattr"),
    accept(
        "T6.22",
        "a contiguous file, and an unknown type",
        file(b"x", b"1", kind=b"7"),
        file(b"z", b"2", kind=b"Z"),
        directory(b"d"),
        tree={b"x": "f 1", b"z": "f 2", b"d": "d"},
        notes=("type",),
    ),
)
