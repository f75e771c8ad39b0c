"""`container inspect`: one container in full.

Source: moby v28.2.2, daemon/inspect.go and api/types/container.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.containers import state as states
from millefeuille.containers.record import Container
from millefeuille.containers.state import State
from millefeuille.docker.shapes.container_mounts import mount_list
from millefeuille.docker.shapes.container_summary import network_mode
from millefeuille.runtime.isolation import MASKED_PATHS, READ_ONLY_PATHS
from millefeuille.values import dataclass, field

CONTAINER: Final = "millefeuille.docker.shapes.container_struct:container_struct"
_SHM_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFacts:
    """What the record of a container does not tell.

    `directory` holds its files, "" where there are none yet, `log` is "" without one; `network` is
    Docker's NetworkSettings; `driver` and `driver_data` say how its root is held; sizes are bytes, None
    where not asked for. `cgroups` is the version of control groups here, `runtime` the one in use.
    """

    directory: str
    log: str
    network: Mapping[str, Any]
    driver: str = "overlay2"
    driver_data: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    size_with_image: int | None = None
    cgroups: int = 1
    runtime: str = "runc"
    execs: Sequence[str] | None = None


def container_inspect(container: Container, state: State, facts: ContainerFacts) -> dict[str, Any]:
    """The object that Engine API 1.50 answers, members in Docker's order."""
    told = states.encode(state)
    restarts = told.pop("RestartCount")
    files = {
        name: facts.directory and f"{facts.directory}/{file}"
        for name, file in
        (("ResolvConfPath", "resolv.conf"), ("HostnamePath", "hostname"), ("HostsPath", "hosts"))
    }  # fmt: skip
    sizes = {"SizeRw": facts.size, "SizeRootFs": facts.size_with_image}
    return {
        "Id": container.id,
        "Created": container.created,
        "Path": container.path,
        "Args": list(container.args),
        "State": told,
        "Image": str(container.image),
        **files,
        "LogPath": facts.log,
        "Name": f"/{container.name}",
        "RestartCount": restarts,
        "Driver": facts.driver,
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": list(facts.execs) if facts.execs else None,
        "HostConfig": settled_host_config(container, facts),
        "GraphDriver": {"Data": dict(sorted(facts.driver_data.items())) or None, "Name": facts.driver},
        **{name: size for name, size in sizes.items() if size is not None},
        "Mounts": mount_list(container),
        "Config": shown_config(container.config),
        "NetworkSettings": dict(facts.network),
    }


def shown_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The member Config: known members in Docker's order, empty ones where Docker shows them."""
    found: dict[str, Any] = {}
    for name, blank in _CONFIG.items():
        value = config.get(name)
        if value or (name in config and name in _EVEN_ZERO and value is not None):
            found[name] = dict(sorted(value.items())) if name in _SORTED else value
        elif blank is not ...:
            found[name] = blank
    return {**found, "Labels": found.get("Labels") or {}}


def settled_host_config(container: Container, facts: ContainerFacts) -> dict[str, Any]:
    """The member HostConfig with what Docker's daemon fills in when it makes a container."""
    asked = container.host_config
    privileged = bool(asked.get("Privileged"))
    memory, swap = asked.get("Memory") or 0, asked.get("MemorySwap") or 0
    swappiness, pids = asked.get("MemorySwappiness"), asked.get("PidsLimit")
    log = asked.get("LogConfig") or {}
    filled = {
        "LogConfig": {"Type": log.get("Type") or "json-file", "Config": log.get("Config") or {}},
        "NetworkMode": network_mode(container),
        "CgroupnsMode": asked.get("CgroupnsMode") or ("private" if facts.cgroups == 2 else "host"),
        "IpcMode": asked.get("IpcMode") or "private",
        "ShmSize": asked.get("ShmSize") or _SHM_BYTES,
        "Runtime": asked.get("Runtime") or facts.runtime,
        "MemorySwap": memory * 2 if memory and not swap else swap,
        "MemorySwappiness": None if swappiness == -1 else swappiness,
        "PidsLimit": max(pids, 0) if pids else None,  # less is what an update has lifted
        "OomKillDisable": None if facts.cgroups == 2 else bool(asked.get("OomKillDisable")),
    }
    for name, paths in (("MaskedPaths", MASKED_PATHS), ("ReadonlyPaths", READ_ONLY_PATHS)):
        own = asked.get(name)
        filled[name] = own if own is not None else None if privileged else list(paths)
    known = {name: filled.get(name, asked.get(name)) for name in _HOST if name in asked or name in filled}
    return {**known, **{name: value for name, value in asked.items() if name not in known}}


# What Config shows when it is empty; ... for what is left out then.
_CONFIG: Final[Mapping[str, Any]] = {
    "Hostname": "", "Domainname": "", "User": "", "AttachStdin": False, "AttachStdout": False,
    "AttachStderr": False, "ExposedPorts": ..., "Tty": False, "OpenStdin": False, "StdinOnce": False,
    "Env": None, "Cmd": None, "Healthcheck": ..., "ArgsEscaped": ..., "Image": "", "Volumes": None,
    "WorkingDir": "", "Entrypoint": None, "NetworkDisabled": ..., "OnBuild": None, "Labels": None,
    "StopSignal": ..., "StopTimeout": ..., "Shell": ...,
}  # fmt: skip
_EVEN_ZERO: Final = frozenset(("StopTimeout",))
_SORTED: Final = frozenset(("ExposedPorts", "Volumes", "Labels"))
_HOST: Final = (
    "Binds", "ContainerIDFile", "LogConfig", "NetworkMode", "PortBindings", "RestartPolicy", "AutoRemove",
    "VolumeDriver", "VolumesFrom", "ConsoleSize", "Annotations", "CapAdd", "CapDrop", "CgroupnsMode", "Dns",
    "DnsOptions", "DnsSearch", "ExtraHosts", "GroupAdd", "IpcMode", "Cgroup", "Links", "OomScoreAdj",
    "PidMode", "Privileged", "PublishAllPorts", "ReadonlyRootfs", "SecurityOpt", "StorageOpt", "Tmpfs",
    "UTSMode", "UsernsMode", "ShmSize", "Sysctls", "Runtime", "Isolation", "CpuShares", "Memory",
    "NanoCpus", "CgroupParent", "BlkioWeight", "BlkioWeightDevice", "BlkioDeviceReadBps",
    "BlkioDeviceWriteBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps", "CpuPeriod", "CpuQuota",
    "CpuRealtimePeriod", "CpuRealtimeRuntime", "CpusetCpus", "CpusetMems", "Devices", "DeviceCgroupRules",
    "DeviceRequests", "MemoryReservation", "MemorySwap", "MemorySwappiness", "OomKillDisable", "PidsLimit",
    "Ulimits", "CpuCount", "CpuPercent", "IOMaximumIOps", "IOMaximumBandwidth", "Mounts", "MaskedPaths",
    "ReadonlyPaths", "Init",
)  # fmt: skip
