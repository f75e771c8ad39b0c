"""The member HostConfig of a container as the flags of `create` and `run` describe it."""

from __future__ import annotations

from millefeuille.annotations import Any, Final, TypeVar
from millefeuille.docker.creation import devices, pairs, policies, ports, volumes
from millefeuille.docker.creation.error import InvalidOption
from millefeuille.faces.cli.command import Call
from millefeuille.faces.cli.container import creation_flags as flags
from millefeuille.faces.cli.options import Option
from millefeuille.later import re

Item = TypeVar("Item")

_MODES: Final = (
    (flags.PID, "PID", r"|host|container:.+"),
    (flags.UTS, "UTS", r"|host"),
    (flags.USERNS, "USER", r"|host"),
    (flags.CGROUPNS, "CGROUP", r"|host|private"),
)


def host_config(
    call: Call, *, binds: list[str] | None, bindings: ports.Bindings, mode: str
) -> dict[str, Any]:
    """The member, with its own members in Docker's order. Raises InvalidOption."""
    restart = policies.restart_policy(call[flags.RESTART])
    for option, name, pattern in _MODES:
        if not re.fullmatch(pattern, call[option], re.DOTALL):
            raise InvalidOption(f"--{option.name}: invalid {name} mode")
    if call[flags.REMOVE] and restart["Name"] not in ("", "no"):
        raise InvalidOption("conflicting options: cannot specify both --restart and --rm")
    security, masked, read_only = policies.security(_several(call, flags.SECURITY_OPT), _read)
    annotations = pairs.mapping(_several(call, flags.ANNOTATION))
    storage = policies.storage(_several(call, flags.STORAGE_OPT))
    tmpfs = volumes.tmpfs(_several(call, flags.TMPFS))
    sysctls = pairs.mapping(_several(call, flags.SYSCTL))
    mounts = list(_several(call, flags.MOUNT))
    return {
        "Binds": binds,
        "ContainerIDFile": call[flags.CIDFILE],
        "LogConfig": _log(call),
        "NetworkMode": mode,
        "PortBindings": bindings,
        "RestartPolicy": restart,
        "AutoRemove": call[flags.REMOVE],
        "VolumeDriver": call[flags.VOLUME_DRIVER],
        "VolumesFrom": _list(call, flags.VOLUMES_FROM),
        "ConsoleSize": [0, 0],
        **({"Annotations": annotations} if annotations else {}),
        "CapAdd": policies.capabilities(_several(call, flags.CAP_ADD)),
        "CapDrop": policies.capabilities(_several(call, flags.CAP_DROP)),
        "CgroupnsMode": call[flags.CGROUPNS],
        "Dns": list(_several(call, flags.DNS)),
        "DnsOptions": [*call[flags.DNS_OPTION], *call[flags.DNS_OPT]],
        "DnsSearch": list(_several(call, flags.DNS_SEARCH)),
        "ExtraHosts": _list(call, flags.ADD_HOST),
        "GroupAdd": _list(call, flags.GROUP_ADD),
        "IpcMode": call[flags.IPC],
        "Cgroup": "",
        "Links": _list(call, flags.LINK),
        "OomScoreAdj": call[flags.OOM_SCORE_ADJ],
        "PidMode": call[flags.PID],
        "Privileged": call[flags.PRIVILEGED],
        "PublishAllPorts": call[flags.PUBLISH_ALL],
        "ReadonlyRootfs": call[flags.READ_ONLY],
        "SecurityOpt": security,
        **({"StorageOpt": storage} if storage else {}),
        **({"Tmpfs": tmpfs} if tmpfs else {}),
        "UTSMode": call[flags.UTS],
        "UsernsMode": call[flags.USERNS],
        "ShmSize": call[flags.SHM_SIZE],
        **({"Sysctls": sysctls} if sysctls else {}),
        **({"Runtime": call[flags.RUNTIME]} if call[flags.RUNTIME] else {}),
        "Isolation": call[flags.ISOLATION],
        **_resources(call),
        **({"Mounts": mounts} if mounts else {}),
        "MaskedPaths": masked,
        "ReadonlyPaths": read_only,
        **({"Unsafe": True} if call[flags.UNSAFE] else {}),
        **({"Init": call[flags.INIT]} if call.given(flags.INIT) else {}),
    }


def _resources(call: Call) -> dict[str, Any]:
    swappiness = call[flags.MEMORY_SWAPPINESS]
    if not -1 <= swappiness <= 100:
        raise InvalidOption(f"invalid value: {swappiness}. Valid memory swappiness range is 0-100")
    nodes, names = devices.divided(_several(call, flags.DEVICE))
    requests = [
        {"Driver": "cdi", "Count": 0, "DeviceIDs": names, "Capabilities": None, "Options": None}
    ] if names else None  # fmt: skip
    limits = {limit["Name"]: limit for limit in call[flags.ULIMIT]}
    return {
        "CpuShares": call[flags.CPU_SHARES],
        "Memory": call[flags.MEMORY],
        "NanoCpus": call[flags.CPUS],
        "CgroupParent": call[flags.CGROUP_PARENT],
        "BlkioWeight": call[flags.BLKIO_WEIGHT],
        "BlkioWeightDevice": list(_several(call, flags.BLKIO_WEIGHT_DEVICE)),
        "BlkioDeviceReadBps": list(_several(call, flags.DEVICE_READ_BPS)),
        "BlkioDeviceWriteBps": list(_several(call, flags.DEVICE_WRITE_BPS)),
        "BlkioDeviceReadIOps": list(_several(call, flags.DEVICE_READ_IOPS)),
        "BlkioDeviceWriteIOps": list(_several(call, flags.DEVICE_WRITE_IOPS)),
        "CpuPeriod": call[flags.CPU_PERIOD],
        "CpuQuota": call[flags.CPU_QUOTA],
        "CpuRealtimePeriod": call[flags.CPU_RT_PERIOD],
        "CpuRealtimeRuntime": call[flags.CPU_RT_RUNTIME],
        "CpusetCpus": call[flags.CPUSET_CPUS],
        "CpusetMems": call[flags.CPUSET_MEMS],
        "Devices": nodes,
        "DeviceCgroupRules": _list(call, flags.DEVICE_CGROUP_RULE),
        "DeviceRequests": requests,
        "MemoryReservation": call[flags.MEMORY_RESERVATION],
        "MemorySwap": call[flags.MEMORY_SWAP],
        "MemorySwappiness": swappiness,
        "OomKillDisable": call[flags.OOM_KILL_DISABLE],
        "PidsLimit": call[flags.PIDS_LIMIT],
        "Ulimits": [limits[name] for name in sorted(limits)],
        "CpuCount": 0,
        "CpuPercent": 0,
        "IOMaximumIOps": 0,
        "IOMaximumBandwidth": 0,
    }


def _log(call: Call) -> dict[str, Any]:
    driver, options = call[flags.LOG_DRIVER], call[flags.LOG_OPT]
    if driver == "none" and options:
        raise InvalidOption("invalid logging opts for driver none")
    return {"Type": driver, "Config": pairs.mapping(options)}


def _several(call: Call, option: Option[tuple[Item, ...]]) -> tuple[Item, ...]:
    """The values of an option that may be given several times."""
    return call[option]


def _list(call: Call, option: Option[tuple[str, ...]]) -> list[str] | None:
    return list(_several(call, option)) or None


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
