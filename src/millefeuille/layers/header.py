"""One 512-byte tar header: V7, ustar, GNU and star (POSIX.1-1988; GNU tar manual, "Basic Tar Format")."""

from __future__ import annotations

import struct
from zlib import adler32

from millefeuille.annotations import Final, NamedTuple, TypeVar
from millefeuille.layers.refusal import TarError

BLOCK_SIZE: Final = 512
ZERO_BLOCK: Final = bytes(BLOCK_SIZE)

# name; mode, uid and gid in one; size; mtime; checksum; type; link; magic and version;
# (user and group names left out;) device numbers; prefix.
FIELDS: Final = struct.Struct("100s24s12s12s8sc100s8s64x16s155s12x")
_USTAR: Final = b"ustar\x00"
_USTAR_00: Final = b"ustar\x0000"
NO_LINK: Final = bytes(100)
NO_PREFIX: Final = bytes(155)
_GNU: Final = b"ustar  \x00"
COMMON: Final = (_USTAR_00, _GNU)
# The same with all that lies behind the checksum in one, which most regular files have in common.
PLAIN: Final = struct.Struct("100s24s12s12s8s356s")
_PLAIN_STARTS: Final = (b"0" + NO_LINK + _USTAR_00, b"0" + NO_LINK + _GNU)
_PREFIX_AT: Final = 345 - 156  # where in that the prefix is
_OCTAL: Final = frozenset(b"01234567")
_UNCHANGED: Final = (1 << 32) - 1
_MEMORY: Final = 8192  # values that the caches below may hold

MTIME_MAXIMUM: Final = 9_223_372_036  # seconds; what 64 bits of nanoseconds hold


Value = TypeVar("Value")


class Header(NamedTuple):
    """The fields of a header, numbers decoded. `name` is raw: neither normalised nor checked."""

    name: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    kind: bytes
    link: bytes
    device: bytes
    gnu: bool


# A Header as the plain tuple that `decode` returns; making the named one would cost as much as the rest.
Fields = tuple[bytes, int, int, int, int, int, bytes, bytes, bytes, bool]

# Fields that repeat from header to header, decoded.
OWNERS: Final[dict[bytes, tuple[int, int, int]]] = {}
TIMES: Final[dict[bytes, int]] = {}
SIZES: Final[dict[bytes, int]] = {}
SUMS: Final[dict[bytes, int]] = {}


def decode(block: memoryview) -> Fields:
    """Decode a header block into the fields of Header. Raises TarError (rules checksum, number, owner)."""
    name, owner, size, mtime, checksum, kind, link, magic, device, prefix = FIELDS.unpack(block)
    plain = link == NO_LINK and prefix == NO_PREFIX and magic in COMMON
    total = adler32(block) & 0xFFFF if plain else _adler_sum(block)
    if total != (SUMS.get(checksum) or checksum_sum(checksum)) and not _signed_sum_matches(block, checksum):
        raise TarError("checksum", "a header has a wrong checksum", _text(name))
    end = name.find(0)
    if end >= 0:
        name = name[:end]
    if prefix[0] and magic != _GNU and magic[:6] == _USTAR:
        # The star format keeps times behind a shorter prefix; its mark stands at the block's end.
        prefix = prefix[:131] if bytes(block[508:]) == b"tar\0" else prefix
        name = _text(prefix) + b"/" + name
    mode, uid, gid = OWNERS.get(owner) or owner_numbers(owner)
    length, seconds = SIZES.get(size), TIMES.get(mtime)
    return (
        name,
        mode,
        uid,
        gid,
        size_number(size) if length is None else length,
        time_number(mtime) if seconds is None else seconds,
        kind,
        b"" if plain else _text(link),
        device,
        magic == _GNU,
    )


def is_plain(rest: bytes) -> bool:
    """Whether the last field of `PLAIN` is that of a regular file in a common format without a prefix."""
    return rest[:109] in _PLAIN_STARTS and rest[_PREFIX_AT : _PREFIX_AT + len(NO_PREFIX)] == NO_PREFIX


def number(field: bytes, what: str, lowest: int = 0) -> int:
    """A numeric field: octal digits, or base 256 when its first bit is set. Raises TarError."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big", signed=False)
        bits = 8 * len(field)
        value = value - (1 << bits) if field[0] & 0x40 else value - (1 << (bits - 1))
    else:
        digits = field.strip(b" \0").partition(b"\0")[0].rstrip(b" ")
        if not _OCTAL.issuperset(digits):
            raise TarError("number", f"a header's {what} is not a number")
        value = int(digits, 8) if digits else 0
    if value < lowest:
        raise TarError("number", f"a header's {what} is negative")
    return value


def device_numbers(field: bytes) -> tuple[int, int]:
    """Major and minor number out of the device field. Raises TarError."""
    major, minor = number(field[:8], "major number"), number(field[8:], "minor number")
    if major >= 1 << 12 or minor >= 1 << 20:  # what the kernel's dev_t holds
        raise TarError("device", f"no device has the numbers {major}:{minor}")
    return major, minor


def owner_id(value: int, what: str) -> int:
    """A user or group ID. Raises TarError where Linux has no such ID."""
    if not 0 <= value < 1 << 32:
        raise TarError("owner", f"{value} is no {what}")
    # To chown(2) the largest says to change nothing: what Docker extracts stays root's then.
    return value if value != _UNCHANGED else 0


def clamp_time(seconds: int) -> int:
    """Seconds within what 64 bits of nanoseconds hold."""
    return max(-MTIME_MAXIMUM, min(seconds, MTIME_MAXIMUM))


def _text(field: bytes) -> bytes:
    end = field.find(b"\0")
    return field if end < 0 else field[:end]


def _adler_sum(block: memoryview) -> int:
    """The sum of a block's bytes and one.

    Adler-32 has that in its low half, modulo 65521. It is exact for half a block, and for a whole one with
    more than 255 zeros and letters in it, which is why most headers need no more than one call.
    """
    return (adler32(block[:256]) & 0xFFFF) + (adler32(block[256:]) & 0xFFFF) - 1


def checksum_sum(checksum: bytes) -> int:
    """What `_adler_sum` gives for a block with this checksum, in whose sum its own field counts as spaces."""
    total = number(checksum, "checksum") + sum(checksum) - len(checksum) * 32 + 1
    return _remember(SUMS, checksum, total)


def _signed_sum_matches(block: memoryview, checksum: bytes) -> bool:
    # Some historic writers summed signed bytes.
    signed: int = sum(struct.unpack("512b", block)) - sum(struct.unpack("8b", checksum)) + 8 * 32
    return signed == number(checksum, "checksum")


def owner_numbers(field: bytes) -> tuple[int, int, int]:
    """Mode, user and group out of their three fields. Raises TarError."""
    mode = number(field[:8], "mode") & 0o7777
    uid = owner_id(number(field[8:16], "user ID", -(1 << 63)), "user ID")
    gid = owner_id(number(field[16:], "group ID", -(1 << 63)), "group ID")
    return _remember(OWNERS, field, (mode, uid, gid))


def time_number(field: bytes) -> int:
    """A time in seconds. Raises TarError."""
    return _remember(TIMES, field, clamp_time(number(field, "time", -(1 << 96))))


def size_number(field: bytes) -> int:
    """A size in bytes. Raises TarError."""
    return _remember(SIZES, field, number(field, "size"))


def _remember(memory: dict[bytes, Value], field: bytes, value: Value) -> Value:
    if len(memory) >= _MEMORY:
        memory.clear()
    memory[field] = value
    return value
