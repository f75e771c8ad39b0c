"""Mountpoints: where the `--mount` flags of a RUN put something, which is over what the image has there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

from millefeuille.analysis.advice.surroundings import absolute
from millefeuille.analysis.advice.waste import Waste
from millefeuille.annotations import Final

_FLAG: Final = "--mount="
_TARGETS: Final = ("target", "dst", "destination")
_SOURCES: Final = ("source", "src")
_SECRETS: Final = "/run/secrets"


def mountpoints(waste: Waste, number: int, flags: Iterable[str]) -> dict[str, str] | None:
    """The flag for each path, from the root on, that flags of a RUN mount something at when it stands where
    the step `number` does; None where the script does not say which path that is.
    """
    found: dict[str, str] = {}
    for flag in flags:
        if flag.startswith(_FLAG):
            target = _target(_fields(flag))
            place = absolute(waste, number, target) if target else None
            if target and place is None:
                return None
            found |= {place: flag} if place is not None else {}
    return found


def _fields(flag: str) -> Mapping[str, str]:
    fields = (each.strip("\"'").partition("=") for each in flag.removeprefix(_FLAG).split(","))
    return {key.lower(): value.strip("\"'") for key, _, value in fields}


def _target(fields: Mapping[str, str]) -> str:
    """The path that is said, or that of a secret without one; "" for none."""
    named = next((fields[key] for key in _TARGETS if fields.get(key)), "")
    if named or fields.get("type") != "secret" or "env" in fields:
        return named
    source = next((fields[key] for key in _SOURCES if fields.get(key)), "")
    return posixpath.join(_SECRETS, fields.get("id") or posixpath.basename(source))
