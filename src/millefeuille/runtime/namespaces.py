"""Namespaces: which of the host's a container shares, from the modes of Docker's `HostConfig`.

A mode is "" or "private" for one of its own, "host" for the host's, or "ns:PATH" for another one: that is
what whoever knows containers makes of "container:ID".
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid, Unsupported

_JOINED: Final = "ns:"
_JOINABLE: Final = ("PidMode", "IpcMode")
_WORDS: Final = {"PidMode": "PID", "IpcMode": "IPC", "UTSMode": "UTS", "CgroupnsMode": "cgroup namespace"}
_OWN: Final = {
    "PidMode": ("", "private"),
    "IpcMode": ("", "private", "shareable", "none"),
    "UTSMode": ("", "private"),
    "CgroupnsMode": ("", "private"),
}


class InvalidMode(Invalid):
    """No such mode."""


class UserNamespaceUnsupported(Unsupported):
    """User namespaces are those of the ordinary user who calls, or none."""


def check(host_config: Mapping[str, Any]) -> None:
    """Hold that the modes exist. Raises InvalidMode, UserNamespaceUnsupported."""
    for key, own in _OWN.items():
        mode = host_config.get(key) or ""
        joins = mode.startswith("container:") and key in _JOINABLE
        if mode != "host" and mode not in own and not joins:
            raise InvalidMode(f"invalid {_WORDS[key]} mode: {mode}")
    if (mode := host_config.get("UsernsMode") or "") not in ("", "host"):
        raise UserNamespaceUnsupported(f"--userns {mode}: not supported")


def entries(host_config: Mapping[str, Any], network: str | None, *, hybrid: bool) -> list[dict[str, str]]:
    """The OCI spec's `namespaces`; `network` is the path of the one to join, if any. Raises InvalidMode.

    Where control groups are `hybrid` (version 1), Docker's default is the host's cgroup namespace.
    """
    found = [{"type": "mount"}]
    for kind, key in (("uts", "UTSMode"), ("ipc", "IpcMode"), ("pid", "PidMode")):
        found += _entry(kind, key, host_config.get(key) or "")
    if network:
        found.append({"type": "network", "path": network})
    elif host_config.get("NetworkMode") != "host":
        found.append({"type": "network"})
    default = "host" if hybrid else "private"
    found += _entry("cgroup", "CgroupnsMode", host_config.get("CgroupnsMode") or default)
    return found


def is_hybrid() -> bool:
    """Whether control groups are of version 1, or of both."""
    return not os.path.exists("/sys/fs/cgroup/cgroup.controllers")


def _entry(kind: str, key: str, mode: str) -> list[dict[str, str]]:
    if mode == "host":
        return []
    if mode.startswith(_JOINED) and key in _JOINABLE:
        return [{"type": kind, "path": mode.removeprefix(_JOINED)}]
    if mode in _OWN[key]:
        return [{"type": kind}]
    raise InvalidMode(f"invalid {_WORDS[key]} mode: {mode}")
