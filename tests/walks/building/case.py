"""One Dockerfile with its context, and who knows how to build it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

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
    """A difference that is meant: `case`, `peer` and `what` are patterns of fnmatch.

    `holds` is asked whether what the peer has and what we have differ in just this way.
    """

    case: str
    peer: str
    what: str
    why: str
    holds: Callable[[Any, Any], bool] = lambda theirs, ours: True
