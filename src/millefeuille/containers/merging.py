"""The configuration of a container: what was asked for, and from the image what was not.

Source: moby v28, daemon/commit.go `merge` and daemon/container.go.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid

_TAKEN_WHEN_EMPTY: Final = ("User", "WorkingDir", "StopSignal", "Shell")
_HEALTH: Final = ("Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries")


class NoCommand(Invalid):
    """Neither the image nor the caller says what to run."""


def merged(wanted: Mapping[str, Any], image: Mapping[str, Any]) -> dict[str, Any]:
    """The container's `Config` from the wanted one and the image's, with a clean working directory."""
    config = dict(wanted)
    for key in _TAKEN_WHEN_EMPTY:
        config[key] = config.get(key) or image.get(key) or config.get(key)
    for key in ("ExposedPorts", "Labels", "Volumes"):
        both = {**(image.get(key) or {}), **(config.get(key) or {})}
        config[key] = both or config.get(key)
    if config.get("WorkingDir"):
        config["WorkingDir"] = posixpath.normpath(str(config["WorkingDir"])).replace("//", "/")
    config["Env"] = _environment(config.get("Env") or [], image.get("Env") or [])
    _merge_command(config, image)
    config["Healthcheck"] = _health(config.get("Healthcheck"), image.get("Healthcheck"))
    return {key: value for key, value in config.items() if value is not None or key not in _OPTIONAL}


_OPTIONAL: Final = frozenset(("Healthcheck", "Shell", "ExposedPorts", "StopSignal", "StopTimeout"))


def command_of(config: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The program and the arguments of a merged configuration. Raises NoCommand."""
    words = [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
    if not words:
        raise NoCommand("no command specified")
    return words[0], tuple(words[1:])


def left_out(image: Mapping[str, Any]) -> list[str]:
    """The entries of the image's `Env` that are no NAME=VALUE: containers do not get them."""
    entries = image.get("Env") or ()
    return [entry for entry in entries if entry.find("=") < 1 or "\0" in entry]


def _merge_command(config: dict[str, Any], image: Mapping[str, Any]) -> None:
    entrypoint = config.get("Entrypoint")
    if not entrypoint:
        config["Cmd"] = config.get("Cmd") or image.get("Cmd")
        if entrypoint is None:
            config["Entrypoint"] = image.get("Entrypoint")
    # Given, and empty: by the caller so that the image's is not taken either, or by the image itself.
    if config.get("Entrypoint") and list(config["Entrypoint"]) == [""]:
        config["Entrypoint"] = None


def _environment(wanted: list[str], image: list[str]) -> list[str]:
    names = {entry.partition("=")[0] for entry in wanted}
    return [*wanted, *(entry for entry in image if entry.partition("=")[0] not in names)]


def _health(wanted: Mapping[str, Any] | None, image: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not wanted:
        return dict(image) if image else None
    if not image:
        return dict(wanted)
    both = {key: wanted.get(key) or image.get(key) for key in _HEALTH}
    return {key: value for key, value in both.items() if value}
