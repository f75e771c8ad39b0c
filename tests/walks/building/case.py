"""One Dockerfile with its context, and who knows how to build it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.walks.building.context import Files

ALL = ("buildah", "classic", "buildkit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`options` are flags of `build` that every builder knows under the same name."""

    name: str
    dockerfile: str
    files: Files = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    peers: tuple[str, ...] = ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A difference that is meant: `case`, `peer` and `what` are patterns of fnmatch."""

    case: str
    peer: str
    what: str
    why: str
