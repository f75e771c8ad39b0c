"""Prints values as Go's fmt package does by default (`%v`)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from millefeuille.docker.template.values import Absent, Missing, Number, Struct, Text
from millefeuille.later import decimal
from millefeuille.values import replace

MISSING_TEXT = "<no value>"
_STRINGS = (str, Number)


def sprint(values: Sequence[object]) -> str:
    """fmt.Sprint: a space between two neighbours that are both not strings."""
    parts: list[str] = []
    for place, value in enumerate(values):
        if place and not isinstance(value, _STRINGS) and not isinstance(values[place - 1], _STRINGS):
            parts.append(" ")
        parts.append(default(value))
    return "".join(parts)


def sprintln(values: Sequence[object]) -> str:
    """fmt.Sprintln: always a space between, and a newline after."""
    return " ".join(map(default, values)) + "\n"


def shown(value: object) -> str:
    """What an action prints: pointers are followed first, and nothing at all is `<no value>`."""
    if isinstance(value, Missing):
        return MISSING_TEXT
    if isinstance(value, Struct) and value.pointer:
        value = replace(value, pointer=False)
    return default(value)


def default(value: object, *, plus: bool = False, depth: int = 0) -> str:
    """One value by `%v`, or by `%+v`, which names the fields of structs."""
    match value:
        case None | Missing() | Absent():
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case int() | str() | Number() | Text():
            return str(value)
        case float():
            return general(value)
        case list() | tuple():
            return f"[{' '.join(default(member, plus=plus, depth=depth + 1) for member in value)}]"
        case dict():
            pairs = (f"{key}:{default(value[key], plus=plus, depth=depth + 1)}" for key in sorted(value))
            return f"map[{' '.join(pairs)}]"
        case Struct():
            return _struct(value, plus, depth)
    return str(value)


def _struct(value: Struct, plus: bool, depth: int) -> str:
    if value.pointer and depth:
        # Go prints the address of a struct that is only pointed at, which has no meaning here.
        return "0xc000000000"
    members = (
        (f"{name}:" if plus else "") + default(member, plus=plus, depth=depth + 1)
        for name, member in value.fields.items()
    )
    return f"{'&' if value.pointer else ''}{{{' '.join(members)}}}"


def general(value: float, precision: int = -1, alternate: bool = False) -> str:
    """A float by `%g`: the shortest text that reads back the same when `precision` is -1."""
    if not math.isfinite(value):
        return {math.inf: "+Inf", -math.inf: "-Inf"}.get(value, "NaN")
    if precision >= 0:
        return f"{value:#.{precision or 1}g}" if alternate else f"{value:.{precision or 1}g}"
    sign, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)  # only infinities and NaN have letters here
    leading = len(digits) + exponent - 1 if any(digits) else 0
    if leading < -4 or leading >= 6:
        mantissa = "".join(map(str, digits))
        fraction = f".{mantissa[1:]}" if len(mantissa) > 1 else ""
        return f"{'-' * sign}{mantissa[0]}{fraction}e{'-' if leading < 0 else '+'}{abs(leading):02d}"
    return f"{decimal.Decimal(repr(value)).normalize():f}"
