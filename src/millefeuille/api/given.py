"""What a program gives to a verb, held against what the verb takes before anything is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from millefeuille.errors import Invalid
from millefeuille.oci.moment import LATEST

_LAST = 2**63 - 1  # SQLite's greatest number


class InvalidArgument(Invalid):
    """A value that the verb cannot take; the message begins with the argument's name."""


def texts(given: str | Iterable[str], name: str) -> tuple[str, ...]:
    """The texts; one alone is itself, not its letters. Raises InvalidArgument."""
    return tuple(_text(one, name) for one in ((given,) if isinstance(given, str) else given))


def by_name(given: Mapping[str, str] | None, name: str) -> dict[str, str]:
    """The texts by their names. Raises InvalidArgument."""
    found: object = given or {}
    if not isinstance(found, Mapping):
        raise InvalidArgument(f"{name}: a mapping of texts is needed, not {type(found).__name__}")
    return {_text(key, name): _text(value, f"{name}[{key!r}]") for key, value in found.items()}


def variables(given: Mapping[str, str] | str | Iterable[str], name: str) -> tuple[str, ...]:
    """NAME=VALUE of each, given so or by its name. Raises InvalidArgument."""
    if isinstance(given, Mapping):
        found = by_name(given, name)
        for key in found:
            if not key or "=" in key:
                raise InvalidArgument(f"{name}: {key!r} is no name of a variable")
        return tuple(f"{key}={value}" for key, value in found.items())
    return texts(given, name)


def epoch(given: int | None) -> int | None:
    """Seconds since 1970 that an image can say. Raises InvalidArgument."""
    return given if given is None else _whole(given, "epoch", LATEST)


def event(given: int) -> int:
    """The number of an event, or one before all. Raises InvalidArgument."""
    return _whole(given, "after", _LAST, least=-_LAST)


def _text(given: object, name: str) -> str:
    if not isinstance(given, str):
        raise InvalidArgument(f"{name}: a text is needed, not {type(given).__name__}")
    if "\0" in given:
        raise InvalidArgument(f"{name}: a text without NUL is needed")
    return given


def _whole(given: object, name: str, most: int, *, least: int = 0) -> int:
    # Python writes not every number down.
    if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
        raise InvalidArgument(f"{name}: a whole number from {least} to {most} is needed")
    return given
