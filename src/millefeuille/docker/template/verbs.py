"""printf: Go's formatting verbs. Source: Go 1.24, fmt/print.go and fmt/format.go."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from millefeuille.docker.template.lexer import code_point
from millefeuille.docker.template.printing import default, general
from millefeuille.docker.template.values import Number, Struct, Text, type_name
from millefeuille.oci.gotext import quoted
from millefeuille.values import dataclass, field

_FLAGS = "+-# 0"


@dataclass(slots=True)
class _Directive:
    """One `%` directive: its flags, width and precision (-1 when not given)."""

    flags: set[str] = field(default_factory=set)
    width: int = -1
    precision: int = -1
    problem: str = ""


def sprintf(text: str, values: Sequence[object]) -> str:
    """`text` with its directives replaced. Mistakes are told in the result, as in Go."""
    return _Printer(text, values).run()


class _Printer:
    def __init__(self, text: str, values: Sequence[object]) -> None:
        self._text = text
        self._values = values
        self._position = 0
        self._next = 0
        self._reordered = False

    def run(self) -> str:
        parts: list[str] = []
        while (found := self._text.find("%", self._position)) >= 0:
            parts.append(self._text[self._position : found])
            self._position = found + 1
            parts.append(self._directive())
        parts.append(self._text[self._position :])
        if not self._reordered and self._next < len(self._values):
            extra = (f"{type_name(v)}={default(v)}" if v is not None else "<nil>" for v in
                     self._values[self._next :])  # fmt: skip
            parts.append(f"%!(EXTRA {', '.join(extra)})")
        return "".join(parts)

    def _directive(self) -> str:
        directive = _Directive()
        while self._peek() and self._peek() in _FLAGS:
            directive.flags.add(self._take())
        self._index(directive)
        problem = self._width(directive)
        problem += self._precision(directive)
        self._index(directive)
        verb = self._take()
        if not verb:
            return f"{problem}%!(NOVERB)"
        if verb == "%":
            return f"{problem}%"
        if directive.problem:
            return f"{problem}%!{verb}({directive.problem})"
        if self._next >= len(self._values):
            return f"{problem}%!{verb}(MISSING)"
        self._next += 1
        return problem + format_value(verb, self._values[self._next - 1], directive)

    def _width(self, directive: _Directive) -> str:
        if self._peek() != "*":
            directive.width = self._digits()
            return ""
        self._take()
        width = self._star()
        if width is None:
            return "%!(BADWIDTH)"
        if width < 0:
            directive.flags.add("-")
        directive.width = abs(width)
        return ""

    def _precision(self, directive: _Directive) -> str:
        if self._peek() != ".":
            return ""
        self._take()
        self._index(directive)
        if self._peek() != "*":
            directive.precision = max(0, self._digits())
            return ""
        self._take()
        precision = self._star()
        if precision is None or precision < 0:
            return "%!(BADPREC)"
        directive.precision = precision
        return ""

    def _star(self) -> int | None:
        self._next += 1
        value = self._values[self._next - 1] if self._next <= len(self._values) else None
        return value if type(value) is int and abs(value) <= 1_000_000 else None

    def _index(self, directive: _Directive) -> None:
        """`[n]`: take argument n next."""
        if self._peek() != "[":
            return
        self._reordered = True
        end = self._text.find("]", self._position)
        inner = self._text[self._position + 1 : end] if end >= 0 else ""
        self._position = end + 1 if end >= 0 else self._position + 1
        if inner.isdecimal() and 1 <= int(inner) <= len(self._values):
            self._next = int(inner) - 1
        else:
            directive.problem = "BADINDEX"

    def _peek(self) -> str:
        return self._text[self._position : self._position + 1]

    def _take(self) -> str:
        self._position += 1
        return self._text[self._position - 1 : self._position]

    def _digits(self) -> int:
        start = self._position
        while self._peek().isdecimal():
            self._position += 1
        return int(self._text[start : self._position]) if self._position > start else -1


def format_value(verb: str, value: object, directive: _Directive) -> str:
    """One value by one verb."""
    if verb == "T":
        return _padded(type_name(value), directive)
    if value is None:
        return _padded("<nil>", directive) if verb == "v" else f"%!{verb}(<nil>)"
    if isinstance(value, (list, tuple, dict, Struct)) and (verb not in "vp" or directive.width > 0):
        return _compound(verb, value, directive)
    formatter = _FORMATTERS.get(_kind(value))
    text = formatter(verb, value, directive) if formatter is not None else None
    if text is not None:
        return text
    # Width and flags hold for the value in the complaint too.
    return f"%!{verb}({type_name(value)}={format_value('v', value, directive)})"


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (str, Number, Text)):
        return "str"
    if isinstance(value, int):
        return "int"
    return "float" if isinstance(value, float) else "other"


def _compound(verb: str, value: object, directive: _Directive) -> str:
    """The verb applied to each member of a list, map or struct."""

    def member(inner: object) -> str:
        return "<nil>" if inner is None else format_value(verb, inner, directive)

    if isinstance(value, dict):
        return f"map[{' '.join(f'{member(key)}:{member(value[key])}' for key in sorted(value))}]"
    if isinstance(value, Struct):
        return f"{{{' '.join(map(member, value.fields.values()))}}}"
    assert isinstance(value, (list, tuple))
    return f"[{' '.join(map(member, value))}]"


def _padded(text: str, directive: _Directive, zeros: bool = False) -> str:
    missing = directive.width - len(text)
    if missing <= 0:
        return text
    if "-" in directive.flags:
        return text + " " * missing
    if zeros and "0" in directive.flags:
        sign = text[0] if text[:1] in ("+", "-", " ") else ""
        return sign + "0" * missing + text[len(sign) :]
    return " " * missing + text


def _bool(verb: str, value: object, directive: _Directive) -> str | None:
    return _padded("true" if value else "false", directive) if verb in "tv" else None


def _str(verb: str, value: object, directive: _Directive) -> str | None:
    text = str(value)
    if directive.precision >= 0 and verb in "svq":
        text = text[: directive.precision]
    if verb == "v" and "#" in directive.flags:
        return _padded(quoted(text), directive)
    if verb in "sv":
        return _padded(text, directive, zeros=True)
    if verb == "q":
        raw = "#" in directive.flags and "`" not in text and text.isprintable()
        return _padded(f"`{text}`" if raw else quoted(text), directive)
    if verb in "xX":
        separator = " " if " " in directive.flags else ""
        encoded = text.encode().hex(separator) if separator else text.encode().hex()
        prefixed = f"0x{encoded}" if "#" in directive.flags else encoded
        return _padded(prefixed.upper() if verb == "X" else prefixed, directive)
    return None


def _int(verb: str, value: object, directive: _Directive) -> str | None:
    assert isinstance(value, int)
    if verb in "cqU":
        return _letter(verb, value, directive)
    base = {"v": "d", "d": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}.get(verb)
    if base is None:
        return None
    digits = format(abs(value), base)
    if directive.precision >= 0:
        digits = "" if value == 0 and directive.precision == 0 else digits.rjust(directive.precision, "0")
    prefix = {"O": "0o"}.get(verb, "")
    if "#" in directive.flags:
        prefix = {"b": "0b", "o": "0", "x": "0x", "X": "0X"}.get(verb, prefix)
    sign = "-" if value < 0 else _sign(verb, directive)
    return _padded(sign + prefix + digits, directive, zeros=directive.precision < 0)


def _letter(verb: str, value: int, directive: _Directive) -> str:
    letter = chr(value) if 0 <= value < 0x110000 else "\ufffd"
    if verb == "c":
        return _padded(letter, directive)
    if verb == "q":
        return _padded(f"'{quoted(letter)[1:-1]}'", directive)
    return _padded(code_point(letter) if "#" in directive.flags else f"U+{value:04X}", directive)


def _sign(verb: str, directive: _Directive) -> str:
    """What stands before a number that is not negative; for `%+v` the plus has another meaning."""
    flags = " " if verb == "v" else "+ "
    return next((flag for flag in flags if flag in directive.flags), "")


def _float(verb: str, value: object, directive: _Directive) -> str | None:
    assert isinstance(value, float)
    precision = directive.precision
    if verb in "vgG":
        text = general(value, precision, "#" in directive.flags)
        text = text.upper() if verb == "G" else text
    elif verb in "eEfF":
        text = format(value, f".{6 if precision < 0 else precision}{verb}")
    else:
        return None
    if not text.startswith("-"):
        text = _sign(verb, directive) + text
    return _padded(text, directive, zeros=True)


def _other(verb: str, value: object, directive: _Directive) -> str | None:
    return _padded(default(value, plus="+" in directive.flags), directive) if verb == "v" else None


_FORMATTERS: dict[str, Callable[[str, object, _Directive], str | None]] = {
    "bool": _bool,
    "str": _str,
    "int": _int,
    "float": _float,
    "other": _other,
}
