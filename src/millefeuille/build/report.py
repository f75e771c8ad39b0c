"""What a build is doing, as values. The builder reports these; faces draw them or turn them into lines."""

from __future__ import annotations

from millefeuille.annotations import Any, Literal, Protocol
from millefeuille.values import dataclass, field

# "wanted" is a step that a rehearsal leaves to be made.
Outcome = Literal["done", "cached", "failed", "cancelled", "wanted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The vertices that the build consists of, in the order of their numbers."""

    vertices: tuple[Vertex, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vertex:
    """One line of progress: `name` is what BuildKit shows, `[stage 2/5] RUN make`.

    `number` is unique within a build; `line` is where it stands in the Dockerfile, 0 for what stands in none.
    `stage`, `place` (counted from 1 among the stage's lines) and `text` are what the name is made of.
    """

    number: int
    name: str
    line: int = 0
    stage: str = ""
    place: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """Work on a vertex begins."""

    vertex: Vertex


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A command of the vertex printed these bytes, on standard output (1) or standard error (2)."""

    vertex: Vertex
    stream: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A vertex is over. `took` is seconds; `size` the bytes of the layer's tar, None for no layer."""

    vertex: Vertex
    outcome: Outcome
    took: float = 0.0
    size: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Why a step was not taken from the cache, or that it was: a sentence, and its parts for machines."""

    vertex: Vertex
    text: str
    changes: tuple[dict[str, Any], ...] = field(default=(), hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """Something a person should know; not an error."""

    message: str


Event = Planned | Began | Printed | Ended | Explained | Noted


class Reporter(Protocol):
    """Whoever wants to know. Called from several threads at once; must return soon and never raise."""

    def report(self, event: Event) -> None:
        """Take notice of `event`."""


class Silent:
    """A Reporter that does nothing."""

    def report(self, event: Event) -> None:
        """Take no notice."""
