"""A rule, and what it has found."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from millefeuille.annotations import NamedTuple
from millefeuille.build.dockerfile.instructions import Location
from millefeuille.build.lint.facts import Facts
from millefeuille.values import dataclass


class Found(NamedTuple):
    """What is wrong, and where; `instruction` is the place of the whole instruction where that is another."""

    message: str
    location: Location
    instruction: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Warning:
    """One broken rule."""

    rule: str
    description: str
    url: str
    message: str
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`look` gives every place where the rule is broken; an experimental rule is only used when asked for."""

    name: str
    page: str
    description: str
    look: Callable[[Facts], Iterable[Found]]
    experimental: bool = False

    @property
    def url(self) -> str:
        """The page that explains it."""
        return f"https://docs.docker.com/go/dockerfile/rule/{self.page}/"

    def warning(self, found: Found) -> Warning:
        """What to tell of one place."""
        return Warning(
            rule=self.name,
            description=self.description,
            url=self.url,
            message=found.message,
            location=found.location,
        )
