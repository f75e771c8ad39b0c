"""An inspected container as the Go struct that templates see."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.docker import rfc3339
from millefeuille.docker.duration import duration
from millefeuille.docker.shapes.container_types import CONTAINER, Field, fields_of
from millefeuille.docker.template.values import Absent, Integer, Struct, Text, TypedList, TypedMap
from millefeuille.values import replace

_LIST: Final = "[]"
_MAP: Final = "map[string]"
_POINTER: Final = "*"
_SCALARS: Final[Mapping[str, object]] = {
    "string": "", "bool": False, "int": 0, "uint": 0, "int64": Integer(0),
    "fs.FileMode": Text("----------", 0, "fs.FileMode"), "time.Duration": duration(0),
    "time.Time": Text("0001-01-01 00:00:00 +0000 UTC", "0001-01-01T00:00:00Z"),
}  # fmt: skip


def container_struct(value: Mapping[str, Any]) -> Struct:
    """The struct for an object made by `container_inspect`."""
    return _struct(CONTAINER, fields_of(CONTAINER) or (), value)


def _struct(type_name: str, known: tuple[Field, ...], value: Mapping[str, Any]) -> Struct:
    """The struct with all fields of its type: those that `value` lacks are zero, and not in its JSON."""
    fields = {
        field.name: _typed(field.type, value[field.json]) if field.json in value else _zero(field.type)
        for field in known
    }
    others = value.keys() - {field.json for field in known}
    return Struct(
        type_name="struct {}" if type_name == "struct{}" else type_name,
        fields={**fields, **{name: member for name, member in value.items() if name in others}},
        json_names={field.name: field.json for field in known if field.name != field.json},
        omit_empty=frozenset(field.name for field in known if field.omitted or field.json not in value),
    )  # fmt: skip


def _typed(type_name: str, value: Any) -> object:
    """A value of JSON as one of a Go type; what does not have the shape of its type stays as it is."""
    if value is None:
        return _zero(type_name)
    if type_name.startswith(_POINTER):
        pointed = _typed(type_name.removeprefix(_POINTER), value)
        return replace(pointed, pointer=True) if isinstance(pointed, Struct) else pointed
    if isinstance(value, list) and type_name.startswith(_LIST):
        element = type_name.removeprefix(_LIST)
        return TypedList([_typed(element, member) for member in value], _named(element))
    if isinstance(value, Mapping):
        if (known := fields_of(type_name)) is not None:
            return _struct(type_name, known, value)
        if not type_name.startswith(_MAP):
            return value
        element = type_name.removeprefix(_MAP)
        members = {key: _typed(element, member) for key, member in value.items()}
        return TypedMap(members, _named(element), _zero(element))
    return _scalar(type_name, value)


def _scalar(type_name: str, value: Any) -> object:
    if type_name == "time.Time" and isinstance(value, str):
        return Text(rfc3339.go_string(value), value)
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    if type_name == "time.Duration":
        return duration(value)
    if type_name == "fs.FileMode":
        return Text(_mode(value), value, type_name)
    return Integer(value) if type_name == "int64" else value


def _mode(bits: int) -> str:
    """As Go prints it: letters of the kinds, from the highest bit, and then the permissions."""
    kinds = "".join(letter for place, letter in enumerate("dalTLDpSugct?") if bits >> (31 - place) & 1)
    permissions = (letter if bits >> (8 - place) & 1 else "-" for place, letter in enumerate("rwxrwxrwx"))
    return f"{kinds or '-'}{''.join(permissions)}"


def _zero(type_name: str) -> object:
    """What Go has where nothing was said."""
    if type_name in _SCALARS:
        return _SCALARS[type_name]
    if type_name.startswith(_LIST):
        return TypedList(None, _named(type_name.removeprefix(_LIST)))
    if type_name.startswith(_MAP):
        element = type_name.removeprefix(_MAP)
        return TypedMap(None, _named(element), _zero(element))
    known = fields_of(type_name.removeprefix(_POINTER)) or ()
    if type_name.startswith(_POINTER):
        return Absent(type_name.removeprefix(_POINTER), frozenset(field.name for field in known))
    return _struct(type_name, known, {})


def _named(type_name: str) -> str:
    return type_name.replace("struct{}", "struct {}")
