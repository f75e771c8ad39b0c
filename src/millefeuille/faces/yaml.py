"""The part of YAML that Dive's files are written in: maps of scalars and maps, and lists of scalars.

Maps and lists in brackets end on their line, but for a document that is one whole, as in JSON. Anything else
is an error that names the line; nothing is guessed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from millefeuille.annotations import Final, NamedTuple, TypeAlias
from millefeuille.errors import Invalid

Value: TypeAlias = "str | list[str] | dict[str, Value]"

_KEY: Final = re.compile(r"""(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_.-]+))\s*:(?:\s+(.*))?""", re.DOTALL)
_NULLS: Final = ("", "~", "null", "Null", "NULL")
_FOREIGN: Final = "&*!|>%@`}]"
_FLOW: Final = re.compile(  # in brackets: a text in quotes, a sign, or plain words
    r"""\s*("(?:[^"\\]|\\.)*"|'[^']*'|[\[\]{},:]|[^\s"'\[\]{},:](?:[^\[\]{},:]|:(?=[^\s,\[\]{}]))*)\s*"""
)
_NUMERIC: Final = re.compile(r"[-+.0-9]")  # what a number begins with
_OCTAL: Final = re.compile(r"[-+]?0[0-7]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_DEEPEST: Final = 32  # maps within each other
_LONGEST: Final = 60  # characters of a file that an error repeats
_BEYOND: Final = 1 << 64  # from here on, whole numbers are read as those with a fraction


class _Null(str):
    """What is equal to a text in quotes, but is none."""

    __slots__ = ()


NULL: Final[str] = _Null("null")
"""How no value is told: this very one. A text in quotes is never it, whatever it says."""


class BadYaml(Invalid):
    """This is no YAML, or more of it than is read here."""


class _Row(NamedTuple):
    number: int
    indent: int
    text: str


def excerpt(value: object) -> str:
    """A value as an error shows it: its beginning, in quotes where it is a text."""
    if isinstance(value, str):
        return repr(value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…")
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def read_yaml(text: str) -> dict[str, Value]:
    """The document, its scalars as they are written, but for numbers: these are decimal. Raises BadYaml."""
    rows = list(_rows(text))
    if not rows:
        return {}
    if rows[0].text.startswith("{"):
        whole = _flow(" ".join(row.text for row in rows), rows[0].number)
        assert isinstance(whole, dict)
        return whole
    found, rest = _map(rows, rows[0].indent)
    if rest:
        raise BadYaml(f"line {rest[0].number}: the indent fits nothing above it")
    return found


def _rows(text: str) -> Iterator[_Row]:
    for number, line in enumerate(text.splitlines(), 1):
        bare = _without_comment(line).rstrip()
        if not bare.strip() or bare == "---":
            continue
        if bare == "...":
            return
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


def _map(rows: list[_Row], indent: int, depth: int = 0) -> tuple[dict[str, Value], list[_Row]]:
    found: dict[str, Value] = {}
    _check_depth(depth, rows[0].number)
    while rows and rows[0].indent == indent:
        row, rows = rows[0], rows[1:]
        match = _KEY.fullmatch(row.text)
        if match is None:
            raise BadYaml(f"line {row.number}: expected `key: value`, not {excerpt(row.text)}")
        key = next(part for part in match.groups()[:3] if part is not None)
        if key in found:
            raise BadYaml(f"line {row.number}: {excerpt(key)} is there twice")
        if match[4]:
            found[key] = _value(match[4], row.number, depth + 1)
        elif rows and rows[0].text.startswith("-") and rows[0].indent >= indent:
            found[key], rows = _items(rows, rows[0].indent)
        elif rows and rows[0].indent > indent:
            found[key], rows = _map(rows, rows[0].indent, depth + 1)
        else:
            found[key] = NULL
    if rows and rows[0].indent > indent:
        raise BadYaml(f"line {rows[0].number}: the indent fits nothing above it")
    return found, rows


def _items(rows: list[_Row], indent: int) -> tuple[list[str], list[_Row]]:
    found = []
    while rows and rows[0].indent == indent and rows[0].text.startswith("-"):
        found.append(_scalar(rows[0].text[1:].strip(), rows[0].number))
        rows = rows[1:]
    return found, rows


def _value(text: str, number: int, depth: int) -> Value:
    return _flow(text, number, depth) if text[0] in "[{" else _scalar(text, number)


def _check_depth(depth: int, number: int) -> None:
    if depth > _DEEPEST:
        raise BadYaml(f"line {number}: more than {_DEEPEST} maps within each other are not read")


def _flow(text: str, number: int, depth: int = 0) -> Value:
    """A map or a list in brackets."""
    tokens, at = [], 0
    while at < len(text):
        match = _FLOW.match(text, at)
        if match is None:
            raise BadYaml(f"line {number}: expected a map or a list, not {excerpt(text)}")
        tokens.append(match[1].rstrip())
        at = match.end()
    found, rest = _item(tokens, number, depth)
    if rest:
        raise BadYaml(f"line {number}: nothing stands behind a bracket, not {excerpt(rest[0])}")
    return found


def _item(tokens: list[str], number: int, depth: int) -> tuple[Value, list[str]]:
    if tokens[:1] == ["["]:
        return _listed(tokens[1:], number)
    if tokens[:1] == ["{"]:
        return _mapped(tokens[1:], number, depth)
    return _plain(tokens, number)


def _plain(tokens: list[str], number: int) -> tuple[str, list[str]]:
    if not tokens or tokens[0] in ("]", "}", ",", ":"):
        raise BadYaml(f"line {number}: a value is missing")
    return _scalar(tokens[0], number), tokens[1:]


def _listed(rest: list[str], number: int) -> tuple[list[str], list[str]]:
    found: list[str] = []
    while rest and rest[0] != "]":
        if rest[0] in ("[", "{"):
            raise BadYaml(f"line {number}: a list or a map in a list is not read")
        value, rest = _plain(rest, number)
        found.append(value)
        rest = _separated(rest, "]", number)
    return found, _closed(rest, number)


def _mapped(rest: list[str], number: int, depth: int) -> tuple[dict[str, Value], list[str]]:
    found: dict[str, Value] = {}
    _check_depth(depth, number)
    while rest and rest[0] != "}":
        key = _scalar(rest[0], number)
        if rest[1:2] != [":"] or key in found:
            raise BadYaml(f"line {number}: expected `key: value`, not {excerpt(rest[0])}")
        value: Value = NULL
        rest = rest[2:]
        if rest and rest[0] not in (",", "}"):
            value, rest = _item(rest, number, depth + 1)
        found[key] = value
        rest = _separated(rest, "}", number)
    return found, _closed(rest, number)


def _separated(rest: list[str], end: str, number: int) -> list[str]:
    if rest and rest[0] == ",":
        return rest[1:]
    if rest and rest[0] != end:
        raise BadYaml(f"line {number}: a comma is missing in front of {excerpt(rest[0])}")
    return rest


def _closed(rest: list[str], number: int) -> list[str]:
    if not rest:
        raise BadYaml(f"line {number}: a bracket is not closed on its line")
    return rest[1:]


def _scalar(text: str, number: int) -> str:
    if text[:1] in ("'", '"'):
        if len(text) < 2 or text[-1] != text[0]:
            raise BadYaml(f"line {number}: a quote is not closed")
        return text[1:-1]
    if text[:1] and text[0] in _FOREIGN:
        raise BadYaml(f"line {number}: this kind of value is not read: {excerpt(text)}")
    return NULL if text in _NULLS else _decimal(text)


def _decimal(text: str) -> str:
    """A number in any form of YAML as digits, with a point if it needs one; other texts as they are."""
    bare = text.replace("_", "")
    if not _NUMERIC.match(text) or not bare.isascii():
        return text
    try:
        whole = int(bare, 8 if _OCTAL.fullmatch(bare) else 0)
        if abs(whole) < _BEYOND:
            return str(whole)
    except ValueError:
        pass
    if not _FLOAT.fullmatch(bare) or math.isinf(value := float(bare)):
        return text
    if value.is_integer():
        return str(int(value))
    found = repr(value)
    return found if "e" not in found else f"{value:.40f}"
