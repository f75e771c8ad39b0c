"""The member `Mounts` of a container, inspected or listed."""

from __future__ import annotations

import posixpath

from millefeuille.annotations import Any
from millefeuille.containers.record import Container, MountPoint


def mount_list(container: Container) -> list[dict[str, Any]]:
    """The binds, volumes and tmpfs of a container; those given as `--tmpfs` are told in its HostConfig."""
    flagged = container.host_config.get("Tmpfs") or {}
    shown = (mount for mount in container.mounts if mount.type != "tmpfs" or mount.target not in flagged)
    structured = {
        posixpath.normpath(str(wish.get("Target"))) for wish in container.host_config.get("Mounts") or ()
    }
    return [_mount(mount, _mode(mount, structured=mount.target in structured)) for mount in shown]


def _mode(mount: MountPoint, *, structured: bool) -> str:
    """The words that a `-v` ended in. A volume without any is shared; so is one of `--mount` in any case."""
    if mount.type == "tmpfs":
        return ""
    if not structured and mount.options:
        return ",".join(mount.options)
    return "z" if mount.type == "volume" and (structured or not mount.anonymous) else ""


def _mount(mount: MountPoint, mode: str) -> dict[str, Any]:
    volume = mount.type == "volume"
    return {
        "Type": mount.type,
        **({"Name": mount.name} if mount.name else {}),
        "Source": mount.source,
        "Destination": mount.target,
        **({"Driver": "local"} if volume else {}),
        "Mode": mode,
        "RW": not mount.read_only,
        "Propagation": mount.propagation or ("rprivate" if mount.type == "bind" else ""),
    }
