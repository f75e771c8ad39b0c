"""`--device` and its relatives: nodes, rules, weights and rates."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.docker.creation.error import InvalidOption
from millefeuille.docker.creation.quantities import memory, unsigned
from millefeuille.later import re

_RULE: Final = r"[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}"
_CDI: Final = (
    r"[a-zA-Z](?:[a-zA-Z0-9._-]*[a-zA-Z0-9])?/[a-zA-Z](?:[a-zA-Z0-9_-]*[a-zA-Z0-9])?"
    r"=[a-zA-Z0-9](?:[a-zA-Z0-9._:-]*[a-zA-Z0-9])?"
)
_WEIGHTS: Final = range(10, 1001)


def divided(options: Sequence[str]) -> tuple[list[dict[str, str]], list[str]]:
    """The member Devices, and names of the Container Device Interface. Raises InvalidOption."""
    names = [option for option in options if re.fullmatch(_CDI, option)]
    return [_device(option) for option in options if option not in names], names


def rule(text: str) -> str:
    """A `--device-cgroup-rule`. Raises InvalidOption."""
    if not re.fullmatch(_RULE, text):
        raise InvalidOption(f"invalid device cgroup format '{text}'")
    return text


def weight(text: str) -> dict[str, Any]:
    """A member of BlkioWeightDevice from `path:weight`. Raises InvalidOption."""
    path, value = _path_and_value(text)
    try:
        number = unsigned(value, 16, 10)
    except InvalidOption:
        number = -1
    if number != 0 and number not in _WEIGHTS:
        raise InvalidOption(f"invalid weight for device: {text}")
    return {"Path": path, "Weight": number}


def bytes_rate(text: str) -> dict[str, Any]:
    """A member of BlkioDeviceReadBps from `path:rate`. Raises InvalidOption."""
    return _rate(
        text, memory,
        "<device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, "
        "mb, or gb",
    )  # fmt: skip


def operations_rate(text: str) -> dict[str, Any]:
    """A member of BlkioDeviceReadIOps from `path:rate`. Raises InvalidOption."""
    return _rate(
        text, lambda value: unsigned(value, 64, 10),
        "<device-path>:<number>. Number must be a positive integer",
    )  # fmt: skip


def _rate(text: str, read: Callable[[str], int], form: str) -> dict[str, Any]:
    path, value = _path_and_value(text)
    try:
        return {"Path": path, "Rate": read(value)}
    except InvalidOption:
        raise InvalidOption(f"invalid rate for device: {text}. The correct format is {form}") from None


def _path_and_value(text: str) -> tuple[str, str]:
    path, colon, value = text.partition(":")
    if not colon or not path:
        raise InvalidOption(f"bad format: {text}")
    if not path.startswith("/dev/"):
        raise InvalidOption(f"bad format for device path: {text}")
    return path, value


def _device(text: str) -> dict[str, str]:
    parts = text.split(":")
    if len(parts) > 3 or not parts[0]:
        raise InvalidOption(f"bad format for path: {text}")
    permissions, target = "rwm", ""
    if len(parts) == 3:
        target, permissions = parts[1], parts[2]
        if not _is_mode(permissions):
            raise InvalidOption(f"bad mode specified: {permissions}")
    elif len(parts) == 2 and _is_mode(parts[1]):
        permissions = parts[1]
    elif len(parts) == 2:
        target = posixpath.normpath(parts[1]) if parts[1] else "."
    checked = parts[1] if target else parts[0]
    if not checked.startswith("/"):
        raise InvalidOption(f"{checked} is not an absolute path")
    source = parts[0] if target else posixpath.normpath(parts[0])
    return {"PathOnHost": source, "PathInContainer": target or source, "CgroupPermissions": permissions}


def _is_mode(text: str) -> bool:
    return bool(text) and set(text) <= set("rwm") and len(set(text)) == len(text)
