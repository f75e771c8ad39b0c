"""What is known of a value's fields, and how the standard library is told of them when it asks."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING"})()


class Field:
    """One field: its default or what makes one, and where it counts."""

    __slots__ = ("compare", "default", "default_factory", "hash", "kw_only", "name", "repr")

    def __init__(
        self, *, default: Any = MISSING, default_factory: Any = MISSING, repr: bool = True,
        compare: bool = True, hash: bool | None = None,
    ) -> None:  # fmt: skip
        self.name = ""
        self.kw_only = False
        self.default = default
        self.default_factory = default_factory
        self.repr = repr
        self.compare = compare
        self.hash = hash

    @property
    def is_hashed(self) -> bool:
        """Whether it counts in the hash; by default if it does in comparisons."""
        return self.compare if self.hash is None else self.hash

    @property
    def is_required(self) -> bool:
        """Whether a value must be given for it."""
        return self.default is MISSING and self.default_factory is MISSING

    def made(self) -> Any:
        """What it is where nothing is given for it."""
        return self.default_factory() if self.default is MISSING else self.default


def field(
    *, default: Any = MISSING, default_factory: Callable[[], Any] = MISSING, repr: bool = True,
    compare: bool = True, hash: bool | None = None,
) -> Any:  # fmt: skip
    """A field that differs from others: see `dataclasses.field`."""
    return Field(default=default, default_factory=default_factory, repr=repr, compare=compare, hash=hash)


class Told:
    """The attribute of a class in which the standard library looks for its fields; made when it looks."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self._fields = fields

    def __get__(self, value: object, owner: type) -> dict[str, Any]:
        standard = importlib.import_module("dataclasses")
        told = {}
        for name, ours in self._fields.items():
            chosen = {name: getattr(ours, name) for name in ("repr", "compare", "hash", "kw_only")}
            if ours.default is not MISSING:
                chosen["default"] = ours.default
            if ours.default_factory is not MISSING:
                chosen["default_factory"] = ours.default_factory
            made = standard.field(**chosen)
            made.name, made.type = name, _annotation(owner, name)
            made._field_type = standard._FIELD
            told[name] = made
        return told


class Params:
    """What the standard library asks of a class that another one inherits from."""

    __slots__ = ("eq", "frozen", "order")

    def __init__(self, *, frozen: bool, eq: bool, order: bool) -> None:
        self.frozen = frozen
        self.eq = eq
        self.order = order


def _annotation(owner: type, name: str) -> Any:
    """The annotation of a field, from the class that has it."""
    return next(
        (one.__annotations__[name] for one in owner.__mro__[:-1] if name in one.__annotations__), None
    )
