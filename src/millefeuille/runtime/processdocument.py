"""The OCI spec's `process`: who runs what, and what it may do.

Source: OCI runtime-spec v1.0.2, config.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.runtime import capabilities, isolation, security, ulimits
from millefeuille.runtime.process import Process


def document(process: Process, config: Mapping[str, Any], host_config: Mapping[str, Any]) -> dict[str, Any]:
    """The OCI spec's `process` for a process in a container of these configurations."""
    user = process.user
    return {
        "terminal": bool(config.get("Tty")),
        **_console(host_config),
        "user": {"uid": user.uid, "gid": user.gid, "additionalGids": list(user.groups)},
        "args": list(process.arguments),
        "env": list(process.environment),
        "cwd": process.directory,
        "capabilities": isolation.capabilities(allowed(host_config), root=user.uid == 0),
        "noNewPrivileges": guard(host_config).no_new_privileges,
        "rlimits": ulimits.limits(host_config),
    }


def guard(host_config: Mapping[str, Any]) -> security.Security:
    """What `SecurityOpt` asks for. Raises InvalidSecurityOption, SecurityUnsupported, InvalidProfile."""
    return security.parsed(
        host_config.get("SecurityOpt") or (), privileged=bool(host_config.get("Privileged"))
    )


def allowed(host_config: Mapping[str, Any]) -> tuple[str, ...]:
    """The capabilities of a container. Raises UnknownCapability."""
    return capabilities.chosen(
        host_config.get("CapAdd") or (),
        host_config.get("CapDrop") or (),
        privileged=bool(host_config.get("Privileged")),
    )


def _console(host_config: Mapping[str, Any]) -> dict[str, Any]:
    height, width = host_config.get("ConsoleSize") or (0, 0)
    return {"consoleSize": {"height": height, "width": width}} if height and width else {}
