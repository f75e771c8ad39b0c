"""eq, ne, lt, le, gt, ge as templates know them. Source: Go 1.24, text/template/funcs.go."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.docker.template.printing import default
from millefeuille.docker.template.values import Absent, Missing, Number, type_name
from millefeuille.docker.template.verbs import sprintf

_INCOMPATIBLE = "incompatible types for comparison"
_UNORDERED = "invalid type for comparison"
_HOLDERS = (list, tuple, dict)


def equal(first: object, others: Sequence[object]) -> bool:
    """True when `first` equals one of `others`. Raises ValueError."""
    if not others:
        raise ValueError("missing argument for comparison")
    return any(_equal(first, other) for other in others)


def less(left: object, right: object) -> bool:
    """True when `left < right`. Raises ValueError."""
    kinds = _basic(left), _basic(right)
    if "" in kinds:
        raise ValueError(_UNORDERED)
    if kinds[0] != kinds[1]:
        raise ValueError(_INCOMPATIBLE)
    if kinds[0] == "bool":
        raise ValueError(_UNORDERED)
    if kinds[0] == "string":
        return str(left).encode() < str(right).encode()
    assert isinstance(left, (int, float)) and isinstance(right, (int, float))
    return left < right


def less_or_equal(left: object, right: object) -> bool:
    """True when `left <= right`. Raises ValueError."""
    return less(left, right) or _equal(left, right)


def _equal(left: object, right: object) -> bool:
    kinds = _basic(left), _basic(right)
    nothing = tuple(value is None or isinstance(value, Missing) for value in (left, right))
    if kinds[0] != kinds[1]:
        if any(nothing):
            return False
        raise ValueError(_INCOMPATIBLE)
    if kinds[0]:
        return str(left) == str(right) if kinds[0] == "string" else left == right
    if _is_nil(left) or _is_nil(right):
        return _is_nil(left) == _is_nil(right)
    _check_comparable(left, right)
    return left == right


def _check_comparable(left: object, right: object) -> None:
    """Raise ValueError for lists and maps, which Go does not compare."""
    if not isinstance(left, _HOLDERS) and not isinstance(right, _HOLDERS):
        return
    kind, other = type_name(left), type_name(right)
    if kind == other:
        raise ValueError(f"non-comparable type {sprintf('%s', [right])}: {kind}")
    raise ValueError(f"non-comparable types {sprintf('%s', [left])}: {kind}, {other}: {default(right)}")


def _is_nil(value: object) -> bool:
    return value is None or isinstance(value, (Missing, Absent))


def _basic(value: object) -> str:
    match value:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
        case str() | Number():
            return "string"
    return ""
