"""Ulimits: what one process of a container may take, in Docker's words and in the kernel's."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid

_NAMES: Final = frozenset(
    """
    core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack as
    """.split()
)
_UNLIMITED: Final = (1 << 64) - 1


class InvalidUlimit(Invalid):
    """No such limit, or not with these values."""


def check(host_config: Mapping[str, Any]) -> None:
    """Hold that the limits exist and are in order. Raises InvalidUlimit."""
    limits(host_config)


def limits(host_config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The OCI spec's `rlimits`. Raises InvalidUlimit.

    Source: docker/go-units, ulimit.go.
    """
    chosen = {}
    for asked in host_config.get("Ulimits") or ():
        name = str(asked.get("Name") or "").lower()
        soft, hard = asked.get("Soft", 0), asked.get("Hard", 0)
        if name not in _NAMES:
            raise InvalidUlimit(f"invalid ulimit type: {name}")
        if hard >= 0 and (soft < 0 or soft > hard):
            raise InvalidUlimit(
                f"ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}"
            )
        kind = f"RLIMIT_{name.upper()}"
        chosen[name] = {"type": kind, "soft": _value(soft), "hard": _value(hard)}
    return list(chosen.values())


def _value(number: int) -> int:
    return number if number >= 0 else _UNLIMITED
