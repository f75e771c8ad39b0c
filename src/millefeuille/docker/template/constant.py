"""Constants in templates: Go's numbers, characters and quoted strings."""

from __future__ import annotations

from millefeuille.later import pattern, re
from millefeuille.oci.gotext import quoted

_ESCAPE = pattern(r"(?s)\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)")
_SIMPLE = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\",
}  # fmt: skip


def unquote(source: str) -> str:
    """The string that a Go literal (quotes included) stands for. Raises ValueError."""
    mark, body = source[0], source[1:-1]
    if mark == "`":
        return body.replace("\r", "")
    return _merged(_ESCAPE.sub(lambda match: _unescaped(match[0], mark), body))


def number(source: str) -> int | float:
    """The number that a Go literal stands for. Raises ValueError, whose message is Go's."""
    text = source.lower()
    if text.startswith("'"):
        return _letter(source)
    try:
        if re.fullmatch(r"[+-]?0x[0-9a-f_]*\.?[0-9a-f_]*p[+-]?[0-9]+", text):
            return float.fromhex(text.replace("_", ""))
        value = _whole(text)
        if value is None:
            fractional = float(text)
    except (ValueError, OverflowError):
        raise ValueError(f"illegal number syntax: {quoted(source)}") from None
    if value is None and set(text) & set(".e"):
        return fractional
    if value is None or not -(2**63) <= value < 2**63:
        raise ValueError(f"integer overflow: {quoted(source)}")
    return value


def _letter(source: str) -> int:
    letter = unquote(source)
    if len(letter) != 1:
        raise ValueError(f"malformed character constant: {source}")
    return ord(letter)


def _whole(text: str) -> int | None:
    """The integer, or None for text that may still be another kind of number."""
    try:
        return int(text, 8 if re.fullmatch(r"[+-]?0[0-7_]+", text) else 0)
    except ValueError:
        return None


def _unescaped(escape: str, mark: str) -> str:
    kind = escape[1]
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if kind == mark:
        return kind
    if kind in "uU":
        return chr(int(escape[2:], 16))
    if kind == "x" or kind in "01234567":
        code = int(escape[2:], 16) if kind == "x" else int(escape[1:], 8)
        # Bytes of a multi-byte letter are joined by _merged.
        return chr(code) if code < 0x80 else chr(0xDC00 + code)
    raise ValueError(escape)


def _merged(text: str) -> str:
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
