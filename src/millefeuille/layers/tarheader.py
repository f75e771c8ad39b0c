"""Tar headers written: the bytes before an entry's data, the same for the same entry.

Plain ustar where an entry fits, otherwise a PAX header with the records that do not fit before it: as Go's
`archive/tar` writes them, and with it Docker and BuildKit. Owners have no names, and nothing but the entry
itself is in them: no process ID, no present time.

Source: POSIX.1-2001, pax, "ustar Interchange Format" and "pax Extended Header"; Go, archive/tar/writer.go.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from zlib import adler32

from millefeuille.annotations import Final, NamedTuple
from millefeuille.layers.compression import MAGIC_SIZE, sniff
from millefeuille.layers.entry import (
    BLOCK,
    CHARACTER,
    DIRECTORY,
    FIFO,
    FILE,
    HARDLINK,
    NO_XATTRS,
    SYMLINK,
)
from millefeuille.layers.header import BLOCK_SIZE

_FLAGS: Final = {
    FILE: b"0", HARDLINK: b"1", SYMLINK: b"2", CHARACTER: b"3", BLOCK: b"4", DIRECTORY: b"5", FIFO: b"6",
}  # fmt: skip
# name, mode, uid, gid, size, mtime, checksum, type, link, magic and version, (names), major, minor, prefix
_BLOCK: Final = struct.Struct("100s8s8s8s12s12s8sc100s8s64x8s8s155s12x")
_USTAR: Final = b"ustar\x0000"
_NAME: Final = 100  # bytes
_PREFIX: Final = 155
_ID_MAXIMUM: Final = 0o7777777
_LONG_MAXIMUM: Final = 0o77777777777
_SKIPPABLE: Final = b"\x18"  # the fourth byte of a magic that is ASCII
_XATTR: Final = b"SCHILY.xattr."


class Metadata(NamedTuple):
    """What a header says of one entry.

    `path` is relative to the root, without a slash at either end; "" is the root. `kind` is one of `entry`,
    but no mark: a whiteout is written as an empty file with its name. `size` bytes of data follow a file's
    header; `link` is a symlink's target, or the path of the entry that a hard link names.
    """

    path: bytes
    kind: int
    mode: int
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime: int = 0
    nsec: int = 0
    link: bytes = b""
    device: tuple[int, int] = (0, 0)
    xattrs: Mapping[bytes, bytes] = NO_XATTRS


def encode(entry: Metadata) -> bytes:
    """The header blocks of an entry, its extension header first where it needs one.

    Attributes whose names hold an equals sign cannot be written, and are left out.
    """
    path, kind, mode, uid, gid, size, mtime, nsec, _, _, xattrs = entry
    if (
        kind in _TAILS and path and not nsec and not xattrs and len(path) < _NAME and path.isascii()
        and uid <= _ID_MAXIMUM and gid <= _ID_MAXIMUM and size <= _LONG_MAXIMUM
        and 0 <= mtime <= _LONG_MAXIMUM and path[3:4] != _SKIPPABLE
    ):  # fmt: skip
        return _plain(path, kind, mode, uid, gid, size, mtime)
    name = _name(entry)
    size = entry.size if entry.kind == FILE else 0
    records = _records(entry, name, size)
    if not records:
        return _block(entry, _split(name) or (b"", name), size)
    plain = name[:_NAME]
    if len(name) > _NAME and plain[-1:] == b"/":  # some readers would take a file for a directory
        plain = plain.rstrip(b"/")
    return _extension(name, records) + _block(entry, (b"", _ascii(plain)), size)


def _plain(path: bytes, kind: int, mode: int, uid: int, gid: int, size: int, mtime: int) -> bytes:
    """The header of a file or directory without anything special: most are, and this takes a fifth."""
    if kind == DIRECTORY:
        path, size = path + b"/", 0
    numbers = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (mode, uid, gid, size, mtime)
    tail, total = _TAILS[kind]
    # The low half of Adler-32 is 1 and the sum of so few ASCII bytes.
    total += (adler32(path) & 0xFFFF) + (adler32(numbers) & 0xFFFF) - 2
    return b"".join((path, _PADDINGS[len(path)], numbers, b"%06o\0 " % total, tail))


def _name(entry: Metadata) -> bytes:
    name = (entry.path or b".") + b"/" if entry.kind == DIRECTORY else entry.path
    # A tar that begins with this name must not pass for a compressed stream.
    return name if sniff(name[:MAGIC_SIZE]) == "none" else b"./" + name


def _records(entry: Metadata, name: bytes, size: int) -> dict[bytes, bytes]:
    """What plain fields do not hold, by PAX key."""
    records = {_XATTR + key: value for key, value in entry.xattrs.items() if b"=" not in key}
    # With any record the plain header has no prefix: then a long name needs a record of its own.
    if not name.isascii() or len(name) > _NAME:
        records[b"path"] = name
    if not entry.link.isascii() or len(entry.link) > _NAME:
        records[b"linkpath"] = entry.link
    for key, value, maximum in (
        (b"uid", entry.uid, _ID_MAXIMUM),
        (b"gid", entry.gid, _ID_MAXIMUM),
        (b"size", size, _LONG_MAXIMUM),
    ):
        if value > maximum:
            records[key] = b"%d" % value
    if entry.nsec or not 0 <= entry.mtime <= _LONG_MAXIMUM:
        records[b"mtime"] = _time(entry.mtime, entry.nsec)
    if records.keys() == {b"path"} and name.isascii() and _split(name):
        return {}
    return records


def _split(name: bytes) -> tuple[bytes, bytes] | None:
    """Prefix and name fields that hold a long ASCII name; None where none do."""
    if len(name) <= _NAME:
        return b"", name
    length = min(len(name) - (name[-1:] == b"/"), _PREFIX + 1)
    at = name.rfind(b"/", 0, length)
    rest = name[at + 1 :]
    if at <= 0 or not rest or len(rest) > _NAME:
        return None
    return name[:at], rest


def _time(seconds: int, nanoseconds: int) -> bytes:
    if not nanoseconds:
        return b"%d" % seconds
    sign = b""
    if seconds < 0:  # -1.25 s is second -2, and 750 ms behind it
        sign, seconds, nanoseconds = b"-", -(seconds + 1), 1_000_000_000 - nanoseconds
    return (b"%s%d.%09d" % (sign, seconds, nanoseconds)).rstrip(b"0")


def _extension(name: bytes, records: Mapping[bytes, bytes]) -> bytes:
    data = b"".join(_record(key, records[key]) for key in sorted(records))
    directory, _, leaf = name.rpartition(b"/")
    own = b"/".join(part for part in (directory.lstrip(b"/"), b"PaxHeaders.0", leaf) if part)
    header = _BLOCK.pack(
        _ascii(own)[:_NAME].rstrip(b"/"), _octal(0, 8), _octal(0, 8), _octal(0, 8), _octal(len(data), 12),
        _octal(0, 12), b" " * 8, b"x", b"", _USTAR, b"", b"", b"",
    )  # fmt: skip
    return _summed(header) + data + bytes(-len(data) % BLOCK_SIZE)


def _record(key: bytes, value: bytes) -> bytes:
    rest = b" %s=%s\n" % (key, value)
    size = len(rest) + len(str(len(rest)))
    if len(str(size)) > len(str(len(rest))):
        size += 1
    return b"%d%s" % (size, rest)


def _block(entry: Metadata, name: tuple[bytes, bytes], size: int) -> bytes:
    major, minor = entry.device
    return _summed(
        _BLOCK.pack(
            name[1], _octal(entry.mode, 8), _octal(_fitting(entry.uid, _ID_MAXIMUM), 8),
            _octal(_fitting(entry.gid, _ID_MAXIMUM), 8), _octal(_fitting(size, _LONG_MAXIMUM), 12),
            _octal(_fitting(entry.mtime, _LONG_MAXIMUM), 12), b" " * 8, _FLAGS[entry.kind],
            _ascii(entry.link)[:_NAME], _USTAR, _octal(major, 8), _octal(minor, 8), name[0],
        )
    )  # fmt: skip


def _fitting(value: int, maximum: int) -> int:
    return value if 0 <= value <= maximum else 0


def _octal(value: int, width: int) -> bytes:
    return b"%0*o\0" % (width - 1, value)


def _ascii(text: bytes) -> bytes:
    return text if text.isascii() else bytes(byte for byte in text if byte < 0x80)


def _summed(block: bytes) -> bytes:
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _tail(kind: int) -> tuple[bytes, int]:
    """What is behind the checksum in a plain header, and the sum of that and of the checksum's own blanks."""
    tail = _block(Metadata(path=b"", kind=kind, mode=0), (b"", b""), 0)[156:]
    return tail, sum(tail) + sum(b" " * 8)


_TAILS: Final = {kind: _tail(kind) for kind in (FILE, DIRECTORY)}
_PADDINGS: Final = [bytes(_NAME - length) for length in range(_NAME + 1)]
