"""What is made of a value: another one, or a plain dictionary. Dataclasses of others are taken too."""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def replace(value: Any, /, **changes: Any) -> Any:
    """The same value with other fields. Raises TypeError for a field that it has not."""
    if not hasattr(value, "__value_fields__"):
        return importlib.import_module("dataclasses").replace(value, **changes)
    given = {name: getattr(value, name) for name in value.__value_fields__}
    return value.__class__(**(given | changes))


def asdict(value: Any) -> dict[str, Any]:
    """A value's fields by name, those of values in it too."""
    return {name: _plain(getattr(value, name)) for name in _fields(value)}


def _fields(value: Any) -> Any:
    """The names of its fields; those of a value are known without the standard library's help."""
    return value.__value_fields__ if hasattr(value, "__value_fields__") else value.__dataclass_fields__


def _plain(value: Any) -> Any:
    if hasattr(type(value), "__value_fields__") or hasattr(type(value), "__dataclass_fields__"):
        return asdict(value)
    if isinstance(value, list | tuple):
        parts = [_plain(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return {_plain(key): _plain(part) for key, part in value.items()}
    return value
