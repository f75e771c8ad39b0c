"""The decorator: a class with annotations becomes one of values."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from millefeuille.values import constructor
from millefeuille.values.fields import MISSING, Field, Params, Told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ORDERS = ("__lt__", "__le__", "__gt__", "__ge__")


class FrozenError(AttributeError):
    """A value is not changed; `replace` makes another."""


def dataclass(
    cls: type | None = None, /, *, frozen: bool = False, slots: bool = False, kw_only: bool = False,
    eq: bool = True, order: bool = False,
) -> Any:  # fmt: skip
    """As `dataclasses.dataclass`. Raises TypeError for fields that cannot be."""

    def decorate(cls: type) -> type:
        inherited = _inherited(cls)
        own = _own_fields(cls, kw_only)
        fields = {**inherited, **own}
        constructor.check(cls.__name__, fields)
        made = _with_slots(cls, own, inherited) if slots else _with_defaults(cls, own)
        _furnish(made, fields, frozen=frozen, slots=slots, eq=eq, order=order)
        return made

    return decorate if cls is None else decorate(cls)


def _inherited(cls: type) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for base in reversed(cls.__mro__[1:]):
        if "__dataclass_fields__" in base.__dict__ and "__value_fields__" not in base.__dict__:
            raise TypeError(f"{cls.__name__}: a value inherits from values, not from {base.__name__}")
        fields.update(base.__dict__.get("__value_fields__", {}))
    return fields


def _own_fields(cls: type, kw_only: bool) -> dict[str, Field]:
    fields = {}
    for name, annotation in cls.__annotations__.items():
        if str(annotation).startswith(("ClassVar", "typing.ClassVar")):
            continue
        given = cls.__dict__.get(name, MISSING)
        made = given if isinstance(given, Field) else Field(default=given)
        if isinstance(made.default, list | dict | set):
            raise TypeError(f"{cls.__name__}.{name}: all values would share this default")
        made.name, made.kw_only = name, kw_only
        fields[name] = made
    return fields


def _with_defaults(cls: type, own: Mapping[str, Field]) -> type:
    for name, one in own.items():
        if one.default is not MISSING:
            setattr(cls, name, one.default)
        elif name in cls.__dict__:
            delattr(cls, name)
    return cls


def _with_slots(cls: type, own: Mapping[str, Field], inherited: Mapping[str, Field]) -> type:
    """The class again, with slots: these cannot be added to one that exists."""
    members = dict(cls.__dict__)
    for name in own:
        members.pop(name, None)
    members.pop("__dict__", None)
    members.pop("__weakref__", None)
    members["__slots__"] = tuple(name for name in own if name not in inherited)
    made = type(cls)(cls.__name__, cls.__bases__, members)
    made.__qualname__ = cls.__qualname__
    return made


def _furnish(
    cls: type, fields: Mapping[str, Field], *, frozen: bool, slots: bool, eq: bool, order: bool
) -> None:
    given = dict(cls.__dict__)

    def add(name: str, value: object) -> None:
        if name not in given:
            setattr(cls, name, value)

    parts = _parts([name for name, one in fields.items() if one.compare])
    cls.__value_fields__ = fields  # type: ignore[attr-defined]
    cls.__dataclass_fields__ = Told(fields)  # type: ignore[attr-defined]
    cls.__dataclass_params__ = Params(frozen=frozen, eq=eq, order=order)  # type: ignore[attr-defined]
    add("__match_args__", tuple(name for name, one in fields.items() if not one.kw_only))
    add("__init__", constructor.first(cls, fields, frozen=frozen))
    add("__repr__", _shown)
    if eq:
        add("__eq__", _compared(operator.eq, parts))
        if "__hash__" not in given or (given["__hash__"] is None and "__eq__" in given):
            hashed = _parts([name for name, one in fields.items() if one.is_hashed])
            cls.__hash__ = _hashed(hashed) if frozen else None  # type: ignore[assignment, method-assign]
    if order:
        for name in _ORDERS:
            add(name, _compared(getattr(operator, name), parts))
    if frozen:
        add("__setattr__", _refusing(cls, fields, "assign to", super_name="__setattr__"))
        add("__delattr__", _refusing(cls, fields, "delete", super_name="__delattr__"))
        if slots:
            add("__getstate__", _state)
            add("__setstate__", _restore)


def _parts(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """What gives these fields."""
    if len(names) > 1:
        return operator.attrgetter(*names)
    if not names:
        return lambda value: ()
    only = operator.attrgetter(names[0])
    return lambda value: (only(value),)


def _compared(
    how: Callable[[Any, Any], Any], parts: Callable[[Any], tuple[Any, ...]]
) -> Callable[[Any, Any], Any]:
    def compare(self: Any, other: Any) -> Any:
        return how(parts(self), parts(other)) if other.__class__ is self.__class__ else NotImplemented

    return compare


def _hashed(parts: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any], int]:
    return lambda self: hash(parts(self))


def _refusing(cls: type, fields: Mapping[str, Field], act: str, *, super_name: str) -> Callable[..., None]:
    def refuse(self: Any, name: str, *value: Any) -> None:
        if type(self) is cls or name in fields:
            raise FrozenError(f"cannot {act} field {name!r}")
        getattr(super(cls, self), super_name)(name, *value)

    return refuse


def _shown(self: Any) -> str:
    shown = [f"{name}={getattr(self, name)!r}" for name, one in self.__value_fields__.items() if one.repr]
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__value_fields__]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__value_fields__, state, strict=True):
        object.__setattr__(self, name, value)
