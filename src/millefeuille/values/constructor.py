"""The constructor of a class of values, compiled when the first one is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from millefeuille.values.fields import MISSING, Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def check(name: str, fields: Mapping[str, Field]) -> None:
    """Hold that no field without a default follows one with. Raises TypeError."""
    defaulted = False
    for one in fields.values():
        if not one.kw_only:
            if defaulted and one.is_required:
                raise TypeError(f"{name}: {one.name!r} without a default follows a field that has one")
            defaulted |= not one.is_required


def first(cls: type, fields: Mapping[str, Field], *, frozen: bool) -> Callable[..., None]:
    """What stands for the constructor until it is called; it is compiled then, and takes its place."""

    def __init__(self: Any, /, *given: Any, **named: Any) -> None:
        made = _compiled(cls, fields, frozen=frozen)
        cls.__init__ = made  # type: ignore[misc]
        made(self, *given, **named)

    __init__.__qualname__ = f"{cls.__qualname__}.__init__"
    return __init__


def _compiled(cls: type, fields: Mapping[str, Field], *, frozen: bool) -> Callable[..., None]:
    names: dict[str, Any] = {"_missing": MISSING, "_set": object.__setattr__}
    positional: list[str] = []
    named: list[str] = []
    lines: list[str] = []
    for name, one in fields.items():
        value = name
        if one.default is not MISSING:
            names[f"_default_{name}"] = one.default
            value = f"{name}=_default_{name}"
        elif one.default_factory is not MISSING:
            names[f"_made_{name}"] = one.default_factory
            value = f"{name}=_missing"
            lines.append(f"if {name} is _missing: {name} = _made_{name}()")
        (named if one.kw_only else positional).append(value)
        lines.append(f"_set(_self, {name!r}, {name})" if frozen else f"_self.{name} = {name}")
    if hasattr(cls, "__post_init__"):
        lines.append("_self.__post_init__()")
    words = ["_self", *positional, *(["*", *named] if named else [])]
    exec(f"def __init__({', '.join(words)}):\n  " + "\n  ".join(lines or ["pass"]), names)
    made: Callable[..., None] = names["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made
