"""The types a flag's value can have, each read as Go's pflag and Docker's opts read it.

A reader takes the text after the flag and the value so far (so that repeated flags can add up) and
returns the new value, or raises ValueError with Go's own sentence.
"""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.later import re
from millefeuille.oci.gotext import quoted

Pairs = tuple[tuple[str, str], ...]

_TRUE: Final = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE: Final = frozenset(("0", "f", "F", "FALSE", "false", "False"))
# Patterns stay text until they are used: most command lines need none of them.
_INTEGER: Final = r"[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO]?(?:_?[0-7])+|[1-9](?:_?[0-9])*|0)"
_DURATION: Final = r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)"
_MICRO: Final = 1e-6
_SECONDS: Final = {
    "ns": 1e-9, "us": _MICRO, "µs": _MICRO, "μs": _MICRO, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0,
}  # fmt: skip
_LARGEST: Final = (1 << 63) - 1
_DIGITS: Final = 999  # of a number that is worth reading


def read_bool(text: str, before: bool) -> bool:
    """Go's strconv.ParseBool."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f"strconv.ParseBool: parsing {quoted(text)}: invalid syntax")


def read_int(text: str, before: int) -> int:
    """Go's strconv.ParseInt with base 0 and 64 bits."""
    if not re.fullmatch(_INTEGER, text):
        raise ValueError(f"strconv.ParseInt: parsing {quoted(text)}: invalid syntax")
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-").replace("_", "")
    octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    number = sign * int(digits, 8 if octal else 0) if len(digits) <= _DIGITS else _LARGEST + 1
    if not -_LARGEST - 1 <= number <= _LARGEST:
        raise ValueError(f"strconv.ParseInt: parsing {quoted(text)}: value out of range")
    return number


def read_string(text: str, before: str) -> str:
    """The text itself; the last one wins."""
    return text


def read_list(text: str, before: tuple[str, ...]) -> tuple[str, ...]:
    """One more element per flag."""
    return (*before, text)


def read_strings(text: str, before: tuple[str, ...]) -> tuple[str, ...]:
    """One line of comma-separated values, added to those before (pflag's stringSlice)."""
    return (*before, *_fields(text)) if text else before


def read_pairs(text: str, before: Pairs) -> Pairs:
    """A filter `name=value`: the name in lower case, both without blanks around them."""
    if not text:
        return before
    name, sign, value = text.partition("=")
    if not sign:
        raise ValueError("bad format of filter (expected name=value)")
    return (*before, (name.strip().lower(), value.strip()))


def read_duration(text: str, before: float) -> float:
    """Go's time.ParseDuration, in seconds."""
    body = text[1:] if text[:1] in ("+", "-") else text
    if body == "0":
        return 0.0
    parts = list(re.finditer(_DURATION, body))
    if not parts or sum(len(part[0]) for part in parts) != len(body):
        raise ValueError(f"time: invalid duration {quoted(text)}")
    seconds = sum(float(part[1]) * _SECONDS[part[2]] for part in parts)
    if seconds * 1e9 > _LARGEST:
        raise ValueError(f"time: invalid duration {quoted(text)}")
    return -seconds if text[0] == "-" else seconds


def nanoseconds(seconds: float) -> int:
    """A duration as Go counts it."""
    return round(seconds * 1e9)


def _fields(text: str) -> list[str]:
    fields: list[str] = []
    rest = text
    while True:
        column = len(text) - len(rest)
        field, rest, more = _quoted_field(rest, column) if rest.startswith('"') else _bare_field(rest, column)
        fields.append(field)
        if not more:
            return fields


def _bare_field(rest: str, column: int) -> tuple[str, str, bool]:
    field, comma, rest = rest.partition(",")
    if '"' in field:
        position = column + field.index('"') + 1
        raise ValueError(f'parse error on line 1, column {position}: bare " in non-quoted-field')
    return field, rest, bool(comma)


def _quoted_field(rest: str, column: int) -> tuple[str, str, bool]:
    field = ""
    position = 1
    while True:
        end = rest.find('"', position)
        if end < 0:
            raise _extraneous(column + len(rest) + 1)
        field += rest[position:end]
        after = rest[end + 1 : end + 2]
        if after == '"':
            field += '"'
            position = end + 2
        elif after in (",", ""):
            return field, rest[end + 2 :], after == ","
        else:
            raise _extraneous(column + end + 1)


def _extraneous(column: int) -> ValueError:
    return ValueError(f'parse error on line 1, column {column}: extraneous or missing " in quoted-field')
