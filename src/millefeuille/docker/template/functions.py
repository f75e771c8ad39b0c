"""The functions that templates may call: Go's own, and those that Docker adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from millefeuille.annotations import Any
from millefeuille.docker.jsontext import marshal
from millefeuille.docker.template import comparison
from millefeuille.docker.template.indexing import index, length, slice_
from millefeuille.docker.template.printing import MISSING_TEXT, sprint, sprintln
from millefeuille.docker.template.values import Struct, TypedList, json_value, truth, type_name
from millefeuille.docker.template.verbs import sprintf
from millefeuille.later import parse
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True)
class Function:
    """A function, and the Go types of its parameters.

    `rest` is the type of any further arguments, None when there may be none. The types are "string",
    "int", "any", and "value" for what Go takes as a reflect.Value. The function raises ValueError.
    """

    call: Callable[..., Any]
    parameters: tuple[str, ...] = ()
    rest: str | None = None


def _json(value: object) -> str:
    return marshal(json_value(value), html=_escapes(value))


def _escapes(value: object) -> bool:
    if isinstance(value, list):
        return any(map(_escapes, value))
    return isinstance(value, Struct) and value.escapes


def _join(values: list[str] | None, separator: str) -> str:
    return separator.join(values or ())


def _split(text: str, separator: str) -> TypedList:
    return TypedList(text.split(separator) if separator else text)


def _title(text: str) -> str:
    """Letters at the start of words in title case, as Go's strings.Title (which stops at `'` too)."""
    letters: list[str] = []
    separated = True
    for letter in text:
        letters.append(letter.title() if separated else letter)
        word = letter.isalnum() or letter == "_"
        separated = not word and (letter.isascii() or letter.isspace())
    return "".join(letters)


def _pad(text: str, before: int, after: int) -> str:
    if text and min(before, after) < 0:
        raise ValueError("strings: negative Repeat count")
    return " " * before + text + " " * after if text else text


def _truncate(text: str, size: int) -> str:
    encoded = text.encode()
    if len(encoded) < size:
        return text
    if size < 0:
        raise ValueError("runtime error: slice bounds out of range")
    return encoded[:size].decode("utf-8", "replace")


def _text(arguments: tuple[object, ...]) -> str:
    if len(arguments) == 1 and isinstance(arguments[0], str):
        return arguments[0]
    return sprint([MISSING_TEXT if argument is None else argument for argument in arguments])


_HTML = str.maketrans({
    '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "\ufffd",
})  # fmt: skip
_JS = str.maketrans({
    "\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D",
})  # fmt: skip


def _js(*arguments: object) -> str:
    text = _text(arguments).translate(_JS)
    return "".join(c if c.isprintable() else f"\\u{ord(c):04X}" for c in text)


def _html(*arguments: object) -> str:
    return _text(arguments).translate(_HTML)


def _urlquery(*arguments: object) -> str:
    return parse.quote_plus(_text(arguments), safe="")


def _not_a_function(function: object, *_: object) -> None:
    if function is None:
        raise ValueError("call of nil")
    raise ValueError(f"non-function of type {type_name(function)}")


_TWO_VALUES = ("value", "value")

FUNCTIONS: Mapping[str, Function] = {
    # `and` and `or` are evaluated by the evaluator, which leaves out what need not be computed.
    "and": Function(lambda *values: values[-1], ("value",), "value"),
    "or": Function(lambda *values: values[-1], ("value",), "value"),
    "call": Function(_not_a_function, ("value",), "value"),
    "html": Function(_html, (), "any"),
    "index": Function(index, ("value",), "value"),
    "slice": Function(slice_, ("value",), "value"),
    "js": Function(_js, (), "any"),
    "len": Function(length, ("value",)),
    "not": Function(lambda value: not truth(value), ("value",)),
    "print": Function(lambda *values: sprint(values), (), "any"),
    "printf": Function(lambda text, *values: sprintf(text, values), ("string",), "any"),
    "println": Function(lambda *values: sprintln(values), (), "any"),
    "urlquery": Function(_urlquery, (), "any"),
    "eq": Function(lambda first, *others: comparison.equal(first, others), ("value",), "value"),
    "ne": Function(lambda left, right: not comparison.equal(left, (right,)), _TWO_VALUES),
    "lt": Function(comparison.less, _TWO_VALUES),
    "le": Function(comparison.less_or_equal, _TWO_VALUES),
    "gt": Function(lambda left, right: not comparison.less_or_equal(left, right), _TWO_VALUES),
    "ge": Function(lambda left, right: not comparison.less(left, right), _TWO_VALUES),
    "json": Function(_json, ("any",)),
    "split": Function(_split, ("string", "string")),
    "join": Function(_join, ("[]string", "string")),
    "title": Function(_title, ("string",)),
    "lower": Function(str.lower, ("string",)),
    "upper": Function(str.upper, ("string",)),
    "pad": Function(_pad, ("string", "int", "int")),
    "truncate": Function(_truncate, ("string", "int")),
}

# In the header of a table these leave the name of the column as it is.
HEADER_FUNCTIONS: Mapping[str, Function] = {
    **FUNCTIONS,
    "json": Function(lambda text: text, ("string",)),
    "split": Function(lambda text, _: text, ("string", "string")),
    "join": Function(lambda text, _: text, ("string", "string")),
    "title": Function(lambda text: text, ("string",)),
    "lower": Function(lambda text: text, ("string",)),
    "upper": Function(lambda text: text, ("string",)),
    "truncate": Function(lambda text, _: text, ("string", "int")),
}
