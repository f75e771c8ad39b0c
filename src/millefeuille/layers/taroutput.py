"""TarOutput: members written as a tar, with all that a header can say of them.

PAX where a plain header has no room (POSIX.1-2001, pax, "ustar Interchange Format" and "pax Extended
Header"); extended attributes as star and GNU tar spell them. The same members give the same bytes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from typing import Final

from millefeuille.layers.header import BLOCK_SIZE
from millefeuille.layers.member import Member

_ZEROS: Final = bytes(1 << 20)
_NAME, _PREFIX, _LINK = 100, 155, 100  # bytes of these fields
_ID_MAXIMUM: Final = 0o7777777
_LONG_MAXIMUM: Final = 0o77777777777
_TYPES: Final = {
    stat.S_IFREG: b"0", stat.S_IFLNK: b"2", stat.S_IFCHR: b"3", stat.S_IFBLK: b"4", stat.S_IFDIR: b"5",
    stat.S_IFIFO: b"6",
}  # fmt: skip


class TarOutput:
    """Add the members in order, then finish. `write` takes all of the bytes it is given.

    Times are written in whole seconds, as Docker does, unless `nanoseconds` are asked for.
    """

    def __init__(self, write: Callable[[bytes | memoryview], object], *, nanoseconds: bool = False) -> None:
        self._write = write
        self._nanoseconds = nanoseconds

    def add(self, name: bytes, member: Member, *, same: bytes | None = None) -> None:
        """Write one member under `name`; `same` is the name of an earlier one that it is a hard link to.

        Raises what the member's content raises.
        """
        self._write(header(name, member, same=same, nanoseconds=self._nanoseconds))
        if same is not None or not stat.S_ISREG(member.mode):
            return
        position = 0
        for offset, data in member.content():
            self._zeros(offset - position)
            self._write(data)
            position = offset + len(data)
        self._zeros(member.size - position)
        self._write(bytes(-member.size % BLOCK_SIZE))

    def finish(self) -> None:
        """The two blocks of zeros that end a tar."""
        self._write(bytes(2 * BLOCK_SIZE))

    def _zeros(self, count: int) -> None:
        while count > 0:
            self._write(_ZEROS[:count])
            count -= len(_ZEROS)


def size_of(name: bytes, member: Member, *, same: bytes | None = None) -> int:
    """The bytes that a member takes in a tar with whole seconds."""
    size = member.size if same is None and stat.S_ISREG(member.mode) else 0
    return len(header(name, member, same=same, nanoseconds=False)) + size + -size % BLOCK_SIZE


def header(name: bytes, member: Member, *, same: bytes | None, nanoseconds: bool) -> bytes:
    """The blocks in front of a member's data: a PAX header where it is needed, and the plain one."""
    kind = b"1" if same is not None else _TYPES[stat.S_IFMT(member.mode)]
    if kind == b"5" and not name.endswith(b"/"):
        name += b"/"
    link = same if same is not None else member.link
    size = member.size if kind == b"0" else 0
    seconds, fraction = divmod(member.mtime_ns, 1_000_000_000)
    records: dict[bytes, bytes] = {}
    prefix, short = _split(name)
    if short is None:
        records[b"path"], short = name, name[:_NAME]
    if len(link) > _LINK or not link.isascii():
        records[b"linkpath"] = link
    if (fraction and nanoseconds) or not 0 <= seconds <= _LONG_MAXIMUM:
        records[b"mtime"] = _decimal(member.mtime_ns if nanoseconds else seconds * 1_000_000_000)
    for key, value, most in (
        (b"size", size, _LONG_MAXIMUM), (b"uid", member.uid, _ID_MAXIMUM), (b"gid", member.gid, _ID_MAXIMUM)
    ):  # fmt: skip
        if value > most:
            records[key] = b"%d" % value
    if kind != b"1":
        records |= {b"SCHILY.xattr." + key: value for key, value in member.xattrs.items()}
    block = _block(
        short, prefix, kind, link[:_LINK], mode=stat.S_IMODE(member.mode), uid=member.uid, gid=member.gid,
        size=size, mtime=seconds, rdev=member.rdev if kind in (b"3", b"4") else 0,
    )  # fmt: skip
    return _pax(name, records) + block if records else block


def _split(name: bytes) -> tuple[bytes, bytes | None]:
    """Prefix and name as a plain header holds them; None where it cannot."""
    if not name.isascii():
        return b"", None
    if len(name) <= _NAME:
        return b"", name
    at = name[: _PREFIX + 1].rstrip(b"/").rfind(b"/")
    if at <= 0 or len(name) - at - 1 > _NAME:
        return b"", None
    return name[:at], name[at + 1 :]


def _pax(name: bytes, records: Mapping[bytes, bytes]) -> bytes:
    data = b"".join(_record(key, value) for key, value in sorted(records.items()))
    directory, _, leaf = name.rstrip(b"/").rpartition(b"/")
    called = b"/".join(part for part in (directory, b"PaxHeaders.0", leaf) if part)
    called = bytes(letter if letter < 128 else 95 for letter in called)[:_NAME].rstrip(b"/")
    block = _block(called, b"", b"x", b"", mode=0, uid=0, gid=0, size=len(data), mtime=0, rdev=0)
    return block + data + bytes(-len(data) % BLOCK_SIZE)


def _record(key: bytes, value: bytes) -> bytes:
    """`LENGTH KEY=VALUE\\n`, where the length counts its own digits."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    if rest + len(str(length)) != length:
        length += 1
    return b"%d %s=%s\n" % (length, key, value)


def _decimal(nanoseconds: int) -> bytes:
    sign, value = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    seconds, fraction = divmod(value, 1_000_000_000)
    return f"{sign}{seconds}.{fraction:09d}".rstrip("0").rstrip(".").encode()


def _block(
    name: bytes, prefix: bytes, kind: bytes, link: bytes, *, mode: int, uid: int, gid: int, size: int,
    mtime: int, rdev: int,
) -> bytes:  # fmt: skip
    head = b"".join((
        name.ljust(_NAME, b"\0"),
        b"%07o\0" % mode,
        b"%07o\0" % (uid if uid <= _ID_MAXIMUM else 0),
        b"%07o\0" % (gid if gid <= _ID_MAXIMUM else 0),
        b"%011o\0" % (size if size <= _LONG_MAXIMUM else 0),
        b"%011o\0" % (mtime if 0 <= mtime <= _LONG_MAXIMUM else 0),
    ))  # fmt: skip
    tail = b"".join((
        kind, link.ljust(_LINK, b"\0"), b"ustar\00000", bytes(64),
        b"%07o\0%07o\0" % (os.major(rdev), os.minor(rdev)), prefix.ljust(_PREFIX, b"\0"), bytes(12),
    ))  # fmt: skip
    total = sum(head) + sum(tail) + 8 * 32
    return head + b"%06o\0 " % total + tail
