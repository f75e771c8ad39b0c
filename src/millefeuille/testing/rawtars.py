"""Tars made byte by byte, ordinary and hostile: every field can be set to anything."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

BLOCK = 512
END = bytes(2 * BLOCK)
USTAR = b"ustar\x0000"
GNU = b"ustar  \x00"
V7 = bytes(8)

Field = int | bytes


def header(
    name: bytes,
    kind: bytes = b"0",
    *,
    size: Field = 0,
    mode: Field = 0o644,
    uid: Field = 0,
    gid: Field = 0,
    mtime: Field = 0,
    link: bytes = b"",
    magic: bytes = USTAR,
    user: bytes = b"",
    group: bytes = b"",
    device: tuple[Field, Field] = (0, 0),
    prefix: bytes = b"",
    tail: bytes = b"",
    checksum: Field | None = None,
) -> bytes:
    """One header block. Numbers are written in octal, bytes as they are; `tail` overwrites its end."""
    block = bytearray(
        struct.pack(
            "100s8s8s8s12s12s8sc100s8s32s32s8s8s155s12x",
            name, _number(mode, 8), _number(uid, 8), _number(gid, 8), _number(size, 12), _number(mtime, 12),
            b" " * 8, kind, link, magic, user, group, _number(device[0], 8), _number(device[1], 8), prefix,
        )
    )  # fmt: skip
    block[len(block) - len(tail) :] = tail
    total = sum(block) if checksum is None else checksum
    block[148:156] = total if isinstance(total, bytes) else b"%06o\0 " % total
    return bytes(block)


def file(name: bytes, data: bytes = b"", **fields: object) -> bytes:
    """A regular file with its data, padded to whole blocks."""
    return header(name, **{"size": len(data), **fields}) + padded(data)  # type: ignore[arg-type]  # passed on


def directory(name: bytes, **fields: object) -> bytes:
    """A directory."""
    return header(name, b"5", **{"mode": 0o755, **fields})  # type: ignore[arg-type]  # passed on


def symlink(name: bytes, target: bytes, **fields: object) -> bytes:
    """A symbolic link; a target of more than 100 bytes goes into a PAX header."""
    long = pax({b"linkpath": target}) if len(target) > 100 else b""
    return long + header(name, b"2", **{"link": target[:100], "mode": 0o777, **fields})  # type: ignore[arg-type]  # passed on


def hardlink(name: bytes, target: bytes, **fields: object) -> bytes:
    """A hard link."""
    return header(name, b"1", link=target, **fields)  # type: ignore[arg-type]  # passed on


def pax(records: Mapping[bytes, bytes] | Iterable[tuple[bytes, bytes]], kind: bytes = b"x") -> bytes:
    """A PAX extended header, or with `g` a global one."""
    pairs = records.items() if isinstance(records, Mapping) else records
    return extension(kind, b"".join(record(key, value) for key, value in pairs))


def record(key: bytes, value: bytes) -> bytes:
    """One PAX record with its right length."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + 1
    while len(rest) + len(b"%d" % length) != length:
        length = len(rest) + len(b"%d" % length)
    return b"%d" % length + rest


def extension(kind: bytes, data: bytes, **fields: object) -> bytes:
    """An extension header of any type with any data."""
    return file(b"././@PaxHeader", data, **{"kind": kind, **fields})


def long_name(name: bytes, kind: bytes = b"L", padding: int = 1) -> bytes:
    """A GNU long name, or with `K` a long link target, with `padding` NULs behind it."""
    return file(b"././@LongLink", name + bytes(padding), kind=kind, magic=GNU)


def xattr(name: bytes, value: bytes) -> bytes:
    """A PAX header with one extended attribute."""
    return pax({b"SCHILY.xattr." + name: value})


def old_sparse(
    name: bytes, runs: list[tuple[int, int]], size: int, data: bytes, *, stored: int | None = None
) -> bytes:
    """A sparse file in GNU's old format; `size` is its real size, `data` its runs one behind the other."""
    block = bytearray(header(name, b"S", size=len(data) if stored is None else stored, magic=GNU))
    block[386:482] = _runs(runs[:4], 4)
    block[482] = len(runs) > 4
    block[483:495] = _number(size, 12)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    blocks = [bytes(block)]
    for first in range(4, len(runs), 21):
        more = len(runs) > first + 21
        blocks.append(_runs(runs[first : first + 21], 21) + bytes([more]) + bytes(7))
    return b"".join(blocks) + padded(data)


def pax_sparse(name: bytes, runs: list[tuple[int, int]], size: int, data: bytes, version: str) -> bytes:
    """A sparse file in PAX format 0.0, 0.1 or 1.0."""
    named: list[tuple[bytes, bytes]] = [(b"GNU.sparse.numblocks", b"%d" % len(runs))]
    if version == "1.0":
        text = b"%d\n" % len(runs) + b"".join(b"%d\n%d\n" % run for run in runs)
        named = [(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", name)]
        named.append((b"GNU.sparse.realsize", b"%d" % size))
        return pax(named) + file(b"GNUSparseFile.0/x", padded(text) + data)
    named.append((b"GNU.sparse.size", b"%d" % size))
    if version == "0.1":
        named += [(b"GNU.sparse.name", name)]
        named += [(b"GNU.sparse.map", b",".join(b"%d,%d" % run for run in runs))]
        return pax(named) + file(b"GNUSparseFile.0/x", data)
    for offset, length in runs:
        named += [(b"GNU.sparse.offset", b"%d" % offset), (b"GNU.sparse.numbytes", b"%d" % length)]
    return pax(named) + file(name, data)


def padded(data: bytes) -> bytes:
    """`data` and zeros up to a whole block."""
    return data + bytes(-len(data) % BLOCK)


def base256(value: int, width: int) -> bytes:
    """A number as GNU writes those that octal digits cannot hold."""
    field = bytearray((value % (1 << 8 * width)).to_bytes(width, "big"))
    field[0] = 0xFF if value < 0 else 0x80 | field[0]
    return bytes(field)


def archive(*entries: bytes) -> bytes:
    """A whole tar."""
    return b"".join(entries) + END


def _runs(runs: list[tuple[int, int]], count: int) -> bytes:
    fields = b"".join(_number(number, 12) for run in runs for number in run)
    return fields + bytes(24 * count - len(fields))


def _number(value: Field, width: int) -> bytes:
    if isinstance(value, bytes):
        return value
    if value < 0 or value >= 8 ** (width - 1):
        return base256(value, width)
    return b"%0*o\0" % (width - 1, value)
