"""Values of a template's data that Python has no type for, and the names Go gives to types.

Plain Python values stand for what Go decodes from JSON: dict for `map[string]interface {}`, list for
`[]interface {}`, str, bool, int, float, and None for a nil interface.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from millefeuille.annotations import Any, Final
from millefeuille.values import dataclass, field


class Missing:
    """No value at all: an unknown key, an unset pipeline. Printed as `<no value>`."""

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing()


@dataclass(frozen=True, slots=True)
class Number:
    """A number kept as the text it had in JSON; for Go it is a kind of string."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Absent:
    """A nil pointer to a `type_name`; `fields` are the names that the type has."""

    type_name: str
    fields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Text:
    """A value that prints itself, such as a time: `shown` in templates, `json` in JSON."""

    shown: str
    json: str | int
    type_name: str = "time.Time"

    def __str__(self) -> str:
        return self.shown


class Integer(int):
    """A Go int64; plain Python integers are Go's int."""


class TypedList(list[Any]):
    """A Go slice of `element`s; `absent` when it is nil (`null` in JSON)."""

    def __init__(self, values: Iterable[object] | None, element: str = "string") -> None:
        super().__init__(values or ())
        self.element = element
        self.absent = values is None


class TypedMap(dict[str, Any]):
    """A Go map from strings to `element`s, whose zero value is `zero`; `absent` when it is nil."""

    def __init__(
        self, values: Mapping[str, object] | None, element: str = "string", zero: object = ""
    ) -> None:
        super().__init__(values or {})
        self.element = element
        self.zero = zero
        self.absent = values is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Struct:
    """A Go struct: its fields by their Go names, in order.

    `json_names` has the JSON name of each field that differs, "" for those left out of JSON; empty fields
    in `omit_empty` are left out too. The fields of `embedded` structs are seen as the struct's own.
    `escapes` when the type writes its own JSON, which then has `<`, `>` and `&` escaped.
    """

    type_name: str
    fields: Mapping[str, object]
    json_names: Mapping[str, str] = field(default_factory=dict)
    omit_empty: frozenset[str] = frozenset()
    embedded: frozenset[str] = frozenset()
    pointer: bool = False
    escapes: bool = False

    def find(self, name: str) -> object:
        """The field of that name, or MISSING."""
        if name in self.fields:
            return self.fields[name]
        for outer in self.embedded:
            inner = self.fields[outer]
            if isinstance(inner, Struct) and (found := inner.find(name)) is not MISSING:
                return found
        return MISSING


_SIMPLE: Mapping[type, str] = {
    type(None): "<nil>",
    Missing: "<nil>",
    bool: "bool",
    int: "int",
    Integer: "int64",
    float: "float64",
    str: "string",
    Number: "json.Number",
    list: "[]interface {}",
    tuple: "[]interface {}",
    dict: "map[string]interface {}",
}


def type_name(value: object) -> str:
    """The Go type of a value, as its error messages name it."""
    match value:
        case TypedList():
            return f"[]{value.element}"
        case TypedMap():
            return f"map[string]{value.element}"
        case Struct():
            return f"*{value.type_name}" if value.pointer else value.type_name
        case Absent():
            return f"*{value.type_name}"
        case Text():
            return value.type_name
    return _SIMPLE.get(type(value), type(value).__name__)


def truth(value: object) -> bool:
    """What `if` makes of a value: a struct is always true."""
    if isinstance(value, Struct):
        return True
    if isinstance(value, Text):
        return value.json != 0
    if isinstance(value, Absent):
        return False
    return bool(value.text) if isinstance(value, Number) else bool(value)


def json_value(value: object) -> object:
    """The value as Go's JSON encoder sees it: maps sorted by key, structs in their own order."""
    match value:
        case Missing() | Absent():
            return None
        case Number(text=text):
            return int(text) if text.lstrip("-").isdigit() else float(text)
        case Text():
            return value.json
        case TypedList() | TypedMap() if value.absent:
            return None
        case list() | tuple():
            return [json_value(member) for member in value]
        case dict():
            return {key: json_value(value[key]) for key in sorted(value)}
        case Struct():
            return _json_fields(value)
    return value


def _json_fields(struct: Struct) -> dict[str, object]:
    result: dict[str, object] = {}
    for name, value in struct.fields.items():
        if name in struct.embedded and isinstance(value, Struct):
            result |= _json_fields(value)
            continue
        json_name = struct.json_names.get(name, name)
        if json_name and not (name in struct.omit_empty and not truth(value)):
            result[json_name] = json_value(value)
    return result
