"""The `Config` member of an inspected image: the parts of a config that Docker shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from millefeuille.annotations import Any


def shown_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The `config` member of an image config as API 1.50 shows it: known members only, no empty ones."""
    result: dict[str, Any] = {}
    for name, read in _MEMBERS.items():
        value = read(config.get(name))
        if value:
            result[name] = value
    return result


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    # Old images have a single string where a list belongs.
    if isinstance(value, str):
        return [value]
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _set(value: object) -> dict[str, Any]:
    return {key: {} for key in sorted(value)} if isinstance(value, dict) else {}


def _labels(value: object) -> dict[str, str]:
    return {key: str(value[key] or "") for key in sorted(value)} if isinstance(value, dict) else {}


def _flag(value: object) -> bool:
    return value is True


def _health(value: object) -> dict[str, Any]:
    names = ("Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries")
    return {name: value[name] for name in names if value.get(name)} if isinstance(value, dict) else {}


_MEMBERS: Mapping[str, Callable[[object], Any]] = {
    "User": _text,
    "ExposedPorts": _set,
    "Env": _texts,
    "Entrypoint": _texts,
    "Cmd": _texts,
    "Volumes": _set,
    "WorkingDir": _text,
    "Labels": _labels,
    "StopSignal": _text,
    "ArgsEscaped": _flag,
    "Healthcheck": _health,
    "OnBuild": _texts,
    "Shell": _texts,
}
