"""The part of YAML that Dive's configuration is written in: maps of scalars and maps, and lists of scalars.

Anything else is an error that names the line; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from millefeuille.annotations import Final, NamedTuple, TypeAlias
from millefeuille.errors import Invalid

Value: TypeAlias = "str | list[str] | dict[str, Value]"

_KEY: Final = re.compile(r"""(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_.-]+))\s*:(?:\s+(.*))?""", re.DOTALL)
_FOREIGN: Final = "&*!|>{%@`"


class BadYaml(Invalid):
    """This is no YAML, or more of it than is read here."""


class _Row(NamedTuple):
    number: int
    indent: int
    text: str


def read_yaml(text: str) -> dict[str, Value]:
    """The document, its scalars as they are written. Raises BadYaml."""
    rows = list(_rows(text))
    if not rows:
        return {}
    found, rest = _map(rows, rows[0].indent)
    if rest:
        raise BadYaml(f"line {rest[0].number}: the indent fits nothing above it")
    return found


def _rows(text: str) -> Iterator[_Row]:
    for number, line in enumerate(text.splitlines(), 1):
        bare = _without_comment(line).rstrip()
        if not bare.strip() or bare == "---":
            continue
        if "\t" in bare[: len(bare) - len(bare.lstrip())]:
            raise BadYaml(f"line {number}: a tab cannot indent")
        yield _Row(number, len(bare) - len(bare.lstrip(" ")), bare.strip())


def _without_comment(line: str) -> str:
    quote = ""
    for place, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter == "#" and (not place or line[place - 1].isspace()):
            return line[:place]
    return line


def _map(rows: list[_Row], indent: int) -> tuple[dict[str, Value], list[_Row]]:
    found: dict[str, Value] = {}
    while rows and rows[0].indent == indent:
        row, rows = rows[0], rows[1:]
        match = _KEY.fullmatch(row.text)
        if match is None:
            raise BadYaml(f"line {row.number}: expected `key: value`, not {row.text!r}")
        key = next(part for part in match.groups()[:3] if part is not None)
        if key in found:
            raise BadYaml(f"line {row.number}: {key} is there twice")
        if match[4]:
            found[key] = _value(match[4], row.number)
        elif rows and rows[0].text.startswith("-") and rows[0].indent >= indent:
            found[key], rows = _items(rows, rows[0].indent)
        elif rows and rows[0].indent > indent:
            found[key], rows = _map(rows, rows[0].indent)
        else:
            found[key] = ""
    if rows and rows[0].indent > indent:
        raise BadYaml(f"line {rows[0].number}: the indent fits nothing above it")
    return found, rows


def _items(rows: list[_Row], indent: int) -> tuple[list[str], list[_Row]]:
    found = []
    while rows and rows[0].indent == indent and rows[0].text.startswith("-"):
        found.append(_scalar(rows[0].text[1:].strip(), rows[0].number))
        rows = rows[1:]
    return found, rows


def _value(text: str, number: int) -> Value:
    if text.startswith("["):
        if not text.endswith("]"):
            raise BadYaml(f"line {number}: a list in brackets ends on its line")
        return [_scalar(each.strip(), number) for each in text[1:-1].split(",") if each.strip()]
    return _scalar(text, number)


def _scalar(text: str, number: int) -> str:
    if text[:1] in ("'", '"'):
        if len(text) < 2 or text[-1] != text[0]:
            raise BadYaml(f"line {number}: a quote is not closed")
        return text[1:-1]
    if text[:1] and text[0] in _FOREIGN:
        raise BadYaml(f"line {number}: this kind of value is not read: {text!r}")
    return text
