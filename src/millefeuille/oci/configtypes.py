"""The types of an image config's members, as Docker's Go structs have them, and their one reading.

A null means that a member is absent, or a list's or a map's item empty; a string in the place of a command is
a command of one word.

Source: moby v20.10.24, image/image.go, api/types/container/config.go and api/types/strslice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid
from millefeuille.oci.moment import is_moment
from millefeuille.oci.strictjson import check_names


class InvalidConfig(Invalid):
    """The bytes are not an image config."""


class _Wrong(Exception):
    """A value of another type; the message says which it should be."""


def settle(fields: dict[str, Any], what: str) -> None:
    """Hold that the known members of an image config have their types, and bring each to one form, in place.

    `what` names the config in errors. Raises InvalidConfig, InvalidDocument.
    """
    _settle(fields, _IMAGE, "", what)
    _object(fields, "rootfs", _ROOTFS, "", what)
    _object(_object(fields, "config", _CONFIG, "", what), "Healthcheck", _HEALTH, "config.", what)
    history = fields.get("history")
    if history is None:
        return
    if not isinstance(history, list):
        raise InvalidConfig(f"{what}: history must be a list")
    for number, entry in enumerate(history):
        if entry is None:
            history[number] = {}
        elif isinstance(entry, dict):
            _settle(entry, _HISTORY, "history: ", what)
        else:
            raise InvalidConfig(f"{what}: a history entry must be an object")


def _object(
    fields: dict[str, Any], key: str, types: Mapping[str, _Type | None], place: str, what: str
) -> dict[str, Any]:
    value = fields.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidConfig(f"{what}: {place}{key} must be an object")
    _settle(value, types, f"{place}{key}.", what)
    return value


def _settle(fields: dict[str, Any], types: Mapping[str, _Type | None], place: str, what: str) -> None:
    check_names(fields, types, what)
    for name, value in fields.items():
        read = types.get(name)
        if read is None or value is None:
            continue
        try:
            fields[name] = read(value)
        except _Wrong as error:
            raise InvalidConfig(f"{what}: {place}{name} must be {error}") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Wrong("a string")
    return value


def _time(value: object) -> str:
    if not isinstance(value, str) or (value and not is_moment(value)):
        raise _Wrong("a time as RFC 3339 writes it")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("true or false")
    return value


def _number(value: object) -> int:
    if type(value) is not int:
        raise _Wrong("a whole number")
    return value


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(text is None or isinstance(text, str) for text in value):
        raise _Wrong("a list of strings")
    return [text or "" for text in value]


def _words(value: object) -> list[str]:
    return [value] if isinstance(value, str) else _texts(value)


def _labels(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(t is None or isinstance(t, str) for t in value.values()):
        raise _Wrong("an object of strings")
    return {key: text or "" for key, text in value.items()}


def _set(value: object) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(t is None or isinstance(t, dict) for t in value.values()):
        raise _Wrong("an object of empty objects")
    return value


_Type = Callable[[object], object]
_IMAGE: Final[Mapping[str, _Type | None]] = {
    "id": _text, "parent": _text, "comment": _text, "created": _time, "container": _text,
    "docker_version": _text, "author": _text, "os.features": _texts,
    **dict.fromkeys(("os", "architecture", "variant", "os.version", "config", "rootfs", "history")),
}  # fmt: skip
_CONFIG: Final[Mapping[str, _Type | None]] = {
    **dict.fromkeys(
        ("Hostname", "Domainname", "User", "Image", "WorkingDir", "MacAddress", "StopSignal"), _text
    ),
    **dict.fromkeys(
        ("AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin", "StdinOnce", "ArgsEscaped",
         "NetworkDisabled"), _flag,
    ),
    "ExposedPorts": _set, "Volumes": _set, "Labels": _labels, "Env": _texts, "OnBuild": _texts,
    "Cmd": _words, "Entrypoint": _words, "Shell": _words, "StopTimeout": _number, "Healthcheck": None,
}  # fmt: skip
_ROOTFS: Final[Mapping[str, _Type | None]] = {"type": _text, "diff_ids": None}
_HISTORY: Final[Mapping[str, _Type | None]] = {
    "created": _time, "author": _text, "created_by": _text, "comment": _text, "empty_layer": _flag
}  # fmt: skip
_HEALTH: Final[Mapping[str, _Type | None]] = {
    "Test": _texts, "Interval": _number, "Timeout": _number, "StartPeriod": _number,
    "StartInterval": _number, "Retries": _number,
}  # fmt: skip
