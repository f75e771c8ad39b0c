"""Strict JSON: one reading of a document, or none.

Two readers that disagree on a document (duplicate keys, NaN, odd encodings) are a way to show one thing
to a scanner and another to the engine; such documents are refused.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from millefeuille.annotations import Any, NoReturn
from millefeuille.errors import Invalid
from millefeuille.later import pattern
from millefeuille.plainjson import dumps, reader

MAXIMUM_DEPTH = 64
MAXIMUM_INTEGER = 2**63 - 1
_STRINGS = pattern(rb'"(?:[^"\\]|\\.)*"')
_NEITHER_BRACKET = pattern(rb"[^\[\]{}]+")
_SURROGATE = pattern(rb"\\u[dD][89a-fA-F]")


class InvalidDocument(Invalid):
    """The bytes are not a JSON object that can be read in one way only."""


def parse_object(raw: bytes, what: str) -> dict[str, Any]:
    """The JSON object in `raw`; `what` names it in errors. Raises InvalidDocument."""
    value = _parse(raw, what)
    if not isinstance(value, dict):
        raise InvalidDocument(f"{what}: not a JSON object")
    return value


def parse_list(raw: bytes, what: str) -> list[Any]:
    """As `parse_object`, the JSON list in `raw`. Raises InvalidDocument."""
    value = _parse(raw, what)
    if not isinstance(value, list):
        raise InvalidDocument(f"{what}: not a JSON list")
    return value


def _parse(raw: bytes, what: str) -> object:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidDocument(f"{what}: not UTF-8") from error
    _check_depth(raw, what)
    try:
        value = _read(text)
    except InvalidDocument as error:
        raise InvalidDocument(f"{what}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidDocument(f"{what}: not valid JSON ({error})") from error
    if b"\\u" in raw and _SURROGATE.search(raw):
        _check_letters(value, what)
    return value


def check_names(value: Iterable[str], known: Collection[str], what: str) -> None:
    """Refuse a member that differs from a `known` one in the case of its letters alone.

    Go's programs take `Layers` for `layers`, and would see another document. Raises InvalidDocument.
    """
    unknown = [name for name in value if name not in known]
    if not unknown:
        return
    folded = {name.casefold(): name for name in known}
    for name in unknown:
        meant = folded.get(name.casefold())
        if meant is not None:
            raise InvalidDocument(f"{what}: the key {name} must be written {meant}")


def _check_depth(raw: bytes, what: str) -> None:
    if raw.count(b"[") + raw.count(b"{") <= MAXIMUM_DEPTH:
        return
    depth = 0
    for byte in _NEITHER_BRACKET.sub(b"", _STRINGS.sub(b"", raw)):
        depth += 1 if byte in b"[{" else -1
        if depth > MAXIMUM_DEPTH:
            raise InvalidDocument(f"{what}: nested deeper than {MAXIMUM_DEPTH} levels")


def _check_letters(value: object, what: str) -> None:
    """Refuse halves of a letter, which some readers keep and others replace."""
    try:
        dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidDocument(f"{what}: half a surrogate pair in a string") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise InvalidDocument("a key appears twice")
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidDocument(f"{name} is not a JSON number")


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise InvalidDocument("a number is out of range")
    return value


def _integer(digits: str) -> int:
    value = int(digits) if len(digits) < 24 else MAXIMUM_INTEGER + 1
    if abs(value) > MAXIMUM_INTEGER:
        raise InvalidDocument("a number is out of range")
    return value


_read = reader(
    object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_float, parse_int=_integer
)
