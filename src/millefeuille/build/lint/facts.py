"""What the rules look at: a Dockerfile, and what is known of the world around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from millefeuille.annotations import Protocol
from millefeuille.build.dockerfile.dockerfile import Dockerfile, Stage
from millefeuille.build.dockerfile.instructions import From, Instruction
from millefeuille.build.scope import Scope
from millefeuille.oci.platform import Platform
from millefeuille.values import dataclass, field


class Ignored(Protocol):
    """An ignore file without exceptions."""

    @property
    def patterns(self) -> Sequence[str]:
        """The patterns, cleaned."""

    def leaves_out(self, path: str) -> bool:
        """Whether a path below the context's root is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseFacts:
    """What is known of a stage's base image: its environment, whether it sets a shell, and its platform."""

    environment: Mapping[str, str] = field(default_factory=dict)
    shell: bool = False
    platform: Platform | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What is known beside the Dockerfile.

    The build arguments; the predefined ones (`scope.platform_args`); the platform to build for; what is
    known of base images, by the index of the stage that stands on one: in a stage whose base is unknown
    nobody can say which variables are undefined; the context's ignore file, None when there is none or it
    has exceptions.
    """

    build_args: Mapping[str, str]
    predefined: Mapping[str, str]
    target: Platform
    bases: Mapping[int, BaseFacts] = field(default_factory=dict)
    ignored: Ignored | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An instruction of a stage: as written and, unless that failed, expanded; `unset` are variables it
    misses.

    `scope` is what it sees.
    """

    stage: Stage
    written: Instruction
    expanded: Instruction | None
    unset: tuple[str, ...]
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFacts:
    """A stage: its FROM expanded (None where that failed), the stage it stands on, its instructions in turn.

    `known` says whether all that it inherits is known.
    """

    stage: Stage
    from_: From | None
    parent: StageFacts | None
    base: BaseFacts
    known: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything.

    `outer` is the global scope; `plain` the one without build arguments, None where that fails.
    """

    dockerfile: Dockerfile
    stages: tuple[StageFacts, ...]
    outer: Scope
    plain: Scope | None
    around: Around
