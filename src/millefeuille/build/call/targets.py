"""The targets of a Dockerfile."""

from __future__ import annotations

from millefeuille.build.dockerfile.arguments import description
from millefeuille.build.dockerfile.dockerfile import Dockerfile
from millefeuille.build.dockerfile.instructions import Location
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A stage; `name` is empty without AS, `description` what the comment above says behind the name."""

    name: str
    default: bool
    description: str
    base: str
    platform: str
    location: Location


def targets(dockerfile: Dockerfile) -> tuple[Target, ...]:
    """All stages in turn; the last one is the default."""
    last = len(dockerfile.stages) - 1
    return tuple(
        Target(
            name=stage.name or "",
            default=stage.index == last,
            description=description(stage.from_.comments, stage.name or ""),
            base=stage.from_.image,
            platform=stage.from_.platform,
            location=stage.from_.location,
        )
        for stage in dockerfile.stages
    )
