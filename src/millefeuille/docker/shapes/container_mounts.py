"""The member `Mounts` of a container, inspected or listed."""

from __future__ import annotations

from millefeuille.annotations import Any, Final
from millefeuille.containers.record import Container, MountPoint

_PROPAGATIONS: Final = frozenset(("private", "rprivate", "shared", "rshared", "slave", "rslave"))


def mount_list(container: Container) -> list[dict[str, Any]]:
    """The binds, volumes and tmpfs of a container; those given as `--tmpfs` are told in its HostConfig."""
    flagged = container.host_config.get("Tmpfs") or {}
    shown = (mount for mount in container.mounts if mount.type != "tmpfs" or mount.target not in flagged)
    return [_mount(mount) for mount in shown]


def _mount(mount: MountPoint) -> dict[str, Any]:
    volume = mount.type == "volume"
    words = () if mount.type == "tmpfs" else mount.options
    mode = ",".join(word for word in words if word not in _PROPAGATIONS)
    return {
        "Type": mount.type,
        **({"Name": mount.name} if mount.name else {}),
        "Source": mount.source,
        "Destination": mount.target,
        **({"Driver": "local"} if volume else {}),
        "Mode": mode or ("z" if volume and not mount.anonymous and not words else ""),
        "RW": not mount.read_only,
        "Propagation": mount.propagation or ("rprivate" if mount.type == "bind" else ""),
    }
