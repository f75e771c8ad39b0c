"""The constructor of a class of values, compiled when some have been made."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from millefeuille.values.fields import MISSING, Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FEW = 8  # calls; compiling takes as long as some twenty of them


def check(name: str, fields: Mapping[str, Field]) -> None:
    """Hold that no field without a default follows one with. Raises TypeError."""
    defaulted = False
    for one in fields.values():
        if not one.kw_only:
            if defaulted and one.is_required:
                raise TypeError(f"{name}: {one.name!r} without a default follows a field that has one")
            defaulted |= not one.is_required


def first(cls: type, fields: Mapping[str, Field], *, frozen: bool) -> Callable[..., None]:
    """The constructor, which compiles the one that takes its place once it has been called some times."""
    positional = [name for name, one in fields.items() if not one.kw_only]
    left = _FEW

    def __init__(self: Any, /, *given: Any, **named: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0 or not _is_regular(fields, positional, given, named):
            made = _compiled(cls, fields, frozen=frozen)
            cls.__init__ = made  # type: ignore[misc]
            made(self, *given, **named)
            return
        named.update(zip(positional, given))  # noqa: B905  # there may be fewer
        for name, one in fields.items():
            value = named[name] if name in named else one.made()
            object.__setattr__(self, name, value)
        if hasattr(cls, "__post_init__"):
            self.__post_init__()

    __init__.__qualname__ = f"{cls.__qualname__}.__init__"
    return __init__


def _is_regular(
    fields: Mapping[str, Field], positional: list[str], given: tuple[Any, ...], named: Mapping[str, Any]
) -> bool:
    """Whether the arguments are those of the fields; what is wrong with others is left for Python to say."""
    taken = positional[: len(given)]
    return (
        len(given) == len(taken)
        and named.keys() <= fields.keys()
        and not any(name in named for name in taken)
        and all(name in named or name in taken or not one.is_required for name, one in fields.items())
    )


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
