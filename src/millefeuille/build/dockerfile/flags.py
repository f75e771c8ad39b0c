"""The flags of an instruction, checked against those it knows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.suggestion import nearest


class Kind(Enum):
    """What a flag takes."""

    SWITCH = auto()
    TEXT = auto()
    TEXTS = auto()


class Flags:
    """The values given: `text`, `texts` and `switch` ask for one by its name, without dashes."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """The value; empty where the flag was not given."""
        return self._values.get(name, [""])[0]

    def texts(self, name: str) -> tuple[str, ...]:
        """All values, in order."""
        return tuple(self._values.get(name, ()))

    def switch(self, name: str) -> bool | None:
        """None where the flag was not given."""
        given = self._values.get(name)
        return None if given is None else given[0] == "true"


def read_flags(words: tuple[str, ...], known: Mapping[str, Kind]) -> Flags:
    """The flags in `words`.

    Raises Complaint for one that is unknown, repeated or without the value it needs.
    """
    values: dict[str, list[str]] = {}
    for word in words:
        name, equals, value = word[2:].partition("=")
        kind = known.get(name)
        if kind is None:
            meant = nearest(name, known)
            raise Complaint(f"unknown flag: --{name}", suggestion=meant)
        if name in values and kind is not Kind.TEXTS:
            raise Complaint(f"duplicate flag specified: --{name}")
        values.setdefault(name, []).append(_value(name, kind, equals, value))
    return Flags(values)


def _value(name: str, kind: Kind, equals: str, value: str) -> str:
    if kind is not Kind.SWITCH:
        if not equals:
            raise Complaint(f"missing a value on flag: --{name}")
        return value
    if equals and not value:
        raise Complaint(f"missing a value on flag: --{name}")
    folded = value.lower() or "true"
    if folded not in ("true", "false"):
        raise Complaint(f"expecting boolean value for flag --{name}, not: {value}")
    return folded
