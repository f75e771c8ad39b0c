"""JSON without the package `json`: its regular expressions take longer to load than short texts to read.

Reads and writes what `json.loads` and `json.dumps` do, with the C functions that these use. Where there are
none, and for the place of an error, it is that package after all.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from millefeuille.annotations import Any

try:
    _json: Any = importlib.import_module("_json")
except ImportError:  # an interpreter without them
    _json = None

# A text as a JSON string: with what is not ASCII escaped, and with it as it is.
quoted: Callable[[str], str] = _json.encode_basestring_ascii if _json else lambda text: dumps(text)
quoted_plain: Callable[[str], str] = (
    _json.encode_basestring if _json else lambda text: dumps(text, ensure_ascii=False)
)
_BLANKS = " \t\n\r"


def reader(
    *,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
    parse_constant: Callable[[str], Any] | None = None,
    parse_float: Callable[[str], Any] = float,
    parse_int: Callable[[str], Any] = int,
) -> Callable[[str], Any]:
    """A function that reads a text, with the hooks of `json.loads`. It raises ValueError."""
    hooks = {
        "object_pairs_hook": object_pairs_hook, "parse_constant": parse_constant or _constant,
        "parse_float": parse_float, "parse_int": parse_int,
    }  # fmt: skip
    plain = {name: staticmethod(hook) if hook is not None else None for name, hook in hooks.items()}
    context = type("Hooks", (), {"strict": True, "object_hook": None, **plain})
    scan = _json.make_scanner(context) if _json else None

    def read(text: str) -> Any:
        if scan is not None:
            try:
                value, end = scan(text, len(text) - len(text.lstrip(_BLANKS)))
            except StopIteration:
                pass  # nothing begins where something must
            except SystemError:
                pass  # it cannot make its error as long as that package is not loaded
            else:
                if not text[end:].strip(_BLANKS):
                    return value
        return importlib.import_module("json").loads(text, **hooks)

    return read


def _constant(name: str) -> float:
    return float(name.replace("Infinity", "inf"))


_read = reader()


def loads(text: str | bytes) -> Any:
    """The value of a JSON text, in UTF-8 where it is bytes. Raises ValueError."""
    return _read(text if isinstance(text, str) else text.decode())


def dumps(
    value: object,
    *,
    separators: tuple[str, str] = (", ", ": "),
    ensure_ascii: bool = True,
    sort_keys: bool = False,
) -> str:
    """The JSON text of a value. Raises TypeError for what has none."""
    if _json:
        escape = _json.encode_basestring_ascii if ensure_ascii else _json.encode_basestring
        between, after = separators
        try:
            encode = _json.make_encoder(None, _refuse, escape, None, after, between, sort_keys, False, True)
        except TypeError:  # another version of it takes other arguments
            pass
        else:
            return "".join(encode(value, 0))
    dump = importlib.import_module("json").dumps
    text: str = dump(value, separators=separators, ensure_ascii=ensure_ascii, sort_keys=sort_keys)
    return text


def _refuse(value: object) -> object:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
