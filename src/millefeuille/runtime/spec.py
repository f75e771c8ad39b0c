"""The OCI runtime spec of a container: what the image asks for, under Docker's default isolation.

Source: OCI runtime-spec v1.0.2, config.md and config-linux.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from millefeuille.runtime import isolation
from millefeuille.runtime.process import Process

_NAMESPACES: Final = ("mount", "uts", "ipc", "pid", "network")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """A host path that the container sees at `target`."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What the spec needs to know beside the process. `rootfs` is where the root is attached."""

    id: str
    rootfs: str
    hostname: str
    binds: Sequence[Bind] = ()
    host_network: bool = False
    read_only: bool = False


def document(container: Container, process: Process) -> dict[str, Any]:
    """The content of the bundle's config.json."""
    return {
        "ociVersion": "1.0.2",
        "root": {"path": container.rootfs, "readonly": container.read_only},
        "hostname": container.hostname,
        "process": _process(process),
        "mounts": [*isolation.mounts(), *map(_bind, container.binds)],
        "linux": _linux(container),
    }


def _process(process: Process) -> dict[str, Any]:
    user = process.user
    return {
        "terminal": False,
        "user": {"uid": user.uid, "gid": user.gid, "additionalGids": list(user.groups)},
        "args": list(process.arguments),
        "env": list(process.environment),
        "cwd": process.directory,
        "capabilities": isolation.capabilities(root=user.uid == 0),
        "noNewPrivileges": False,
        "oomScoreAdj": 0,
    }


def _linux(container: Container) -> dict[str, Any]:
    kinds = [kind for kind in _NAMESPACES if not (container.host_network and kind == "network")]
    return {
        "namespaces": [{"type": kind} for kind in kinds],
        "cgroupsPath": f"/millefeuille/{container.id}",
        "resources": {"devices": isolation.devices()},
        "maskedPaths": list(isolation.MASKED_PATHS),
        "readonlyPaths": list(isolation.READ_ONLY_PATHS),
        "sysctl": {} if container.host_network else {"net.ipv4.ip_unprivileged_port_start": "0"},
    }


def _bind(bind: Bind) -> dict[str, Any]:
    options = ["rbind", "rprivate", "ro" if bind.read_only else "rw"]
    return {"destination": bind.target, "type": "bind", "source": bind.source, "options": options}
