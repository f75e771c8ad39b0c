"""PAX extended headers (POSIX.1-2001, pax, "pax Extended Header"): records, numbers, times."""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.layers.header import clamp_time
from millefeuille.layers.refusal import TarError

_LONGEST_LENGTH: Final = 20  # digits
_NO_NUL: Final = frozenset((b"path", b"linkpath", b"uname", b"gname"))


def records(data: bytes) -> list[tuple[bytes, bytes]]:
    """The keys and values of an extended header, in order. Raises TarError; nothing malformed is skipped."""
    found = []
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + _LONGEST_LENGTH + 1)
        length = data[at : max(space, at)]
        if not length.isdigit():
            raise TarError("pax", "a PAX record has no length")
        end = at + int(length)
        equals = data.find(b"=", space + 1, end - 1)
        if end > len(data) or equals <= space + 1 or data[end - 1] != 0x0A:
            raise TarError("pax", "a PAX record does not end where its length says, or has no key")
        key, value = data[space + 1 : equals], data[equals + 1 : end - 1]
        if b"\0" in key or (key in _NO_NUL and b"\0" in value):
            raise TarError("pax", "a PAX record has a NUL in its key or name")
        found.append((key, value))
        at = end
    return found


def integer(value: bytes, what: str) -> int:
    """A decimal number of at most 63 bits. Raises TarError."""
    if not value.isdigit() or len(value) > _LONGEST_LENGTH or int(value) >= 1 << 63:
        raise TarError("pax", f"the PAX {what} is not a number within bounds")
    return int(value)


def time(value: bytes) -> tuple[int, int]:
    """Seconds since 1970, rounded down, and nanoseconds behind them. Raises TarError."""
    negative = value[:1] == b"-"
    whole, _, fraction = value[negative:].partition(b".")
    if not whole.isdigit() or (fraction and not fraction.isdigit()):
        raise TarError("pax", "the PAX time is not a decimal number")
    # More digits than these make no difference, but would cost time to convert.
    seconds = int(whole) if len(whole) <= _LONGEST_LENGTH else 1 << 63
    nanoseconds = int(fraction[:9].ljust(9, b"0"))
    if negative:
        seconds = -seconds - (nanoseconds > 0)
        nanoseconds = -nanoseconds % 1_000_000_000
    clamped = clamp_time(seconds)
    return (seconds, nanoseconds) if clamped == seconds else (clamped, 0)
