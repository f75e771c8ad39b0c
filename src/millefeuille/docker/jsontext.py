"""JSON as Go's encoder spells it."""

from __future__ import annotations

from millefeuille.annotations import Any
from millefeuille.plainjson import dumps, quoted_plain

# Only strings can hold these, so they may be replaced in the finished text.
_HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
_LINES = {"\u2028": "\\u2028", "\u2029": "\\u2029"}


def marshal(value: object, *, html: bool = True) -> str:
    """`value` on one line, as json.Marshal writes it; keys stay in the order given.

    `html` escapes `<`, `>` and `&`, as Go does unless told otherwise. `value` is made of dicts with string
    keys, lists, tuples, strings, numbers, booleans and None.
    """
    return _escape(dumps(_plain(value), ensure_ascii=False, separators=(",", ":")), html)


def indented(value: object, indent: int | str = 4, *, html: bool = True) -> str:
    """`value` over several lines, as json.MarshalIndent writes it; `indent` is spaces, or a text."""
    text = _lines(_plain(value), indent if isinstance(indent, str) else indent * " ", "\n")
    return _escape(text, html)


def _lines(value: Any, indent: str, margin: str) -> str:
    """A value; `margin` is the end of a line, and what the next one is indented by."""
    inner = margin + indent
    if isinstance(value, dict) and value:
        pairs = (f"{inner}{quoted_plain(key)}: {_lines(value[key], indent, inner)}" for key in value)
        return f"{{{','.join(pairs)}{margin}}}"
    if isinstance(value, list) and value:
        members = (f"{inner}{_lines(member, indent, inner)}" for member in value)
        return f"[{','.join(members)}{margin}]"
    return quoted_plain(value) if isinstance(value, str) else dumps(value)


def _escape(text: str, html: bool) -> str:
    for character, escaped in (_HTML | _LINES if html else _LINES).items():
        if character in text:
            text = text.replace(character, escaped)
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)
    return text


def _plain(value: Any) -> Any:
    """The value with whole floats as integers, for Go writes 1.0 as 1."""
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    return value
