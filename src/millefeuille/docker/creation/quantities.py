"""Amounts: bytes of memory, shares of a processor, numbers without a sign."""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.docker.creation.error import InvalidOption
from millefeuille.later import fractions, re
from millefeuille.oci.gotext import quoted

_UNITS: Final = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}
_FLOAT: Final = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_UNSIGNED: Final = r"0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO]?(?:_?[0-7])+|[1-9](?:_?[0-9])*|0"
_NANO: Final = 1_000_000_000
_LARGEST: Final = 1 << 63
_DIGITS: Final = 999  # of a number that is worth reading
_EXPONENT: Final = 7  # characters


def memory(text: str) -> int:
    """Bytes, from a number and a binary unit: `512m`, `1.5 GiB`. Raises InvalidOption."""
    end = max((n for n, character in enumerate(text) if character in "0123456789. "), default=-1)
    if end < 0:
        raise InvalidOption(f"invalid size: '{text}'")
    number, suffix = text[: end + 1], text[end + 1 :]
    if text[end] == " ":
        number = text[:end]
    if not re.fullmatch(_FLOAT, number):
        raise InvalidOption(f"strconv.ParseFloat: parsing {quoted(number)}: invalid syntax")
    size = float(number)
    if size == float("inf"):
        raise InvalidOption(f"strconv.ParseFloat: parsing {quoted(number)}: value out of range")
    size *= _unit(suffix)
    if not 0 <= size < _LARGEST:
        raise InvalidOption(f"invalid size: '{text}'")
    return int(size)


def memory_and_swap(text: str) -> int:
    """Bytes as `memory` reads them, or -1: as much swap as there is. Raises InvalidOption."""
    return -1 if text == "-1" else memory(text)


def nano_cpus(text: str) -> int:
    """Billionths of a processor, from a decimal number. Raises InvalidOption."""
    try:
        exponent = text.lower().rpartition("e")[2]
        cpus = fractions.Fraction(text if len(exponent) <= _EXPONENT or exponent == text else "")
    except (ValueError, ZeroDivisionError):
        raise InvalidOption(f"failed to parse {text} as a rational number") from None
    nano = cpus * _NANO
    if nano.denominator != 1:
        raise InvalidOption("value is too precise")
    return int(nano)


def unsigned(text: str, bits: int, base: int = 0) -> int:
    """A number of that many bits, as Go's strconv.ParseUint reads it. Raises InvalidOption."""
    pattern = r"[0-9]+" if base == 10 else r"[0-7]+" if base == 8 else _UNSIGNED
    if not re.fullmatch(pattern, text, re.ASCII):
        raise InvalidOption(f"strconv.ParseUint: parsing {quoted(text)}: invalid syntax")
    digits = text.replace("_", "")
    octal = base == 0 and len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    number = int(digits, 8 if octal else base) if len(digits) <= _DIGITS else -1
    if number >> bits:
        raise InvalidOption(f"strconv.ParseUint: parsing {quoted(text)}: value out of range")
    return number


def _unit(suffix: str) -> int:
    if not suffix:
        return 1
    lowered = suffix.lower() if len(suffix) <= 3 else suffix
    known = lowered == "b" or (lowered[0] in _UNITS and lowered[1:] in ("", "b", "ib"))
    if not known:
        raise InvalidOption(f"invalid suffix: '{lowered}'")
    return _UNITS.get(lowered[0], 1)
