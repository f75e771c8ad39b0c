"""`--filter name=value`: parsing, checking and matching, as Docker does them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import tzinfo

from millefeuille.docker.jsontext import marshal
from millefeuille.docker.timestamp import parse_time
from millefeuille.errors import Invalid
from millefeuille.plainjson import loads
from millefeuille.values import dataclass, field

_TRUE, _FALSE = {"1", "true"}, {"0", "false"}


class InvalidFilter(Invalid):
    """A filter is malformed, unknown, or has a value it cannot have; the message is Docker's."""


@dataclass(frozen=True, slots=True)
class Filters:
    """The values given for each name, without repeats, in order."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, options: Iterable[str]) -> Filters:
        """Read the values of `--filter` options; empty ones count for nothing. Raises InvalidFilter."""
        pairs: list[tuple[str, str]] = []
        for option in filter(None, options):
            name, equals, value = option.partition("=")
            if not equals:
                raise InvalidFilter("bad format of filter (expected name=value)")
            pairs.append((name.strip().lower(), value.strip()))
        return cls._of(pairs)

    @classmethod
    def from_api(cls, text: str) -> Filters:
        """Read the `filters` parameter of an API request, in either encoding. Raises InvalidFilter."""
        if not text:
            return cls()
        try:
            fields = loads(text)
            return cls._of((name, value) for name, values in fields.items() for value in _listed(values))
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            raise InvalidFilter("invalid filter") from error

    @classmethod
    def _of(cls, pairs: Iterable[tuple[str, str]]) -> Filters:
        fields: dict[str, dict[str, None]] = {}
        for name, value in pairs:
            fields.setdefault(name, {})[value] = None
        return cls({name: tuple(values) for name, values in fields.items()})

    def to_api(self) -> str:
        """The `filters` parameter of an API request; "" for none."""
        fields = {name: dict.fromkeys(sorted(self.fields[name]), True) for name in sorted(self.fields)}
        return marshal(fields) if fields else ""

    def __bool__(self) -> bool:
        return bool(self.fields)

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def get(self, name: str) -> tuple[str, ...]:
        """The values given for `name`."""
        return self.fields.get(name, ())

    def with_value(self, name: str, value: str) -> Filters:
        """These filters and one more."""
        values = dict.fromkeys((*self.get(name), value))
        return Filters({**self.fields, name: tuple(values)})

    def check(self, accepted: Collection[str]) -> None:
        """Hold that every name is one of `accepted`. Raises InvalidFilter."""
        for name in self.fields:
            if name not in accepted:
                raise InvalidFilter(f"invalid filter '{name}'")

    def boolean(self, name: str, default: bool) -> bool:
        """The truth given for `name`: `1`, `0`, `true` or `false`. Raises InvalidFilter."""
        if name not in self.fields:
            return default
        values = set(self.fields[name])
        is_true, is_false = bool(values & _TRUE), bool(values & _FALSE)
        if is_true == is_false:
            raise InvalidFilter(f"invalid filter '{name}=[{' '.join(sorted(values))}]'")
        return is_true

    def accepts_labels(self, labels: Mapping[str, str]) -> bool:
        """True when `labels` has all of `label`, and not all of `label!`."""
        if not _has_all(self.get("label"), labels):
            return False
        return "label!" not in self.fields or not _has_all(self.get("label!"), labels)

    def until(self, now: int, zone: tzinfo | None = None) -> int | None:
        """The time before which a thing must have been made, None when not asked for.

        Nanoseconds since 1970, as is `now`. Raises InvalidFilter, InvalidTime.
        """
        values = self.get("until")
        if len(values) > 1:
            raise InvalidFilter("more than one until filter specified")
        return parse_time(values[0], now, zone) if values else None


def _has_all(wanted: tuple[str, ...], labels: Mapping[str, str]) -> bool:
    for text in wanted:
        key, equals, value = text.partition("=")
        if key not in labels or (equals and labels[key] != value):
            return False
    return True


def _listed(values: object) -> list[str]:
    """The values of one name: a list, or the keys of an object. Raises TypeError."""
    if isinstance(values, dict):
        return [value for value, chosen in values.items() if chosen is True]
    if isinstance(values, list) and all(isinstance(value, str) for value in values):
        return values
    raise TypeError("neither a list nor an object")
