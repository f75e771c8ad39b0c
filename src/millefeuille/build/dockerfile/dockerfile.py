"""A whole Dockerfile, parsed: its stages and what stands before them."""

from __future__ import annotations

from millefeuille.build.dockerfile.directives import Directive
from millefeuille.build.dockerfile.instructions import Arg, From, Instruction, Location
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A FROM and the instructions up to the next. `name` is lower-cased and None without AS."""

    from_: From
    instructions: tuple[Instruction, ...]
    index: int
    name: str | None

    @property
    def shown(self) -> str:
        """The name for people: `stage-2` for a stage without one."""
        return self.name or f"stage-{self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dockerfile:
    """What `parser.parse` gives.

    `name` is the file's, for messages; `source` its lines; `gaps` are the instructions that continue over
    an empty line.
    """

    name: str
    source: tuple[str, ...]
    escape: str
    syntax: Directive
    check: Directive
    global_args: tuple[Arg, ...]
    stages: tuple[Stage, ...]
    gaps: tuple[Location, ...]
