"""An inspected container as the Go struct that templates see.

Source: moby v28.2.2, api/types/container.
"""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.docker.template.values import Absent, Integer, Struct, TypedList, TypedMap

# Members that are structs, by their JSON names; all other objects are maps.
_STRUCTS: Final = {
    "State": "container.State", "Health": "container.Health", "HostConfig": "container.HostConfig",
    "LogConfig": "container.LogConfig", "RestartPolicy": "container.RestartPolicy",
    "GraphDriver": "storage.DriverData", "Config": "container.Config",
    "Healthcheck": "container.HealthcheckConfig", "NetworkSettings": "container.NetworkSettings",
    "IPAMConfig": "network.EndpointIPAMConfig", "BindOptions": "mount.BindOptions",
    "VolumeOptions": "mount.VolumeOptions", "TmpfsOptions": "mount.TmpfsOptions",
    "DriverConfig": "mount.Driver",
}  # fmt: skip
# Members that are maps or lists of structs, or of lists of them: the type of the innermost.
_ELEMENTS: Final = {
    "Networks": "network.EndpointSettings", "Ports": "nat.PortBinding", "PortBindings": "nat.PortBinding",
    "Mounts": "container.MountPoint", "Log": "container.HealthcheckResult", "Ulimits": "units.Ulimit",
    "Devices": "container.DeviceMapping", "ExposedPorts": "struct {}", "Volumes": "struct {}",
    "BlkioWeightDevice": "blkiodev.WeightDevice", "BlkioDeviceReadBps": "blkiodev.ThrottleDevice",
    "BlkioDeviceWriteBps": "blkiodev.ThrottleDevice", "BlkioDeviceReadIOps": "blkiodev.ThrottleDevice",
    "BlkioDeviceWriteIOps": "blkiodev.ThrottleDevice",
}  # fmt: skip
# Go's names of members whose JSON name is another.
_GO_NAMES: Final = {
    "Id": "ID", "Dns": "DNS", "DnsOptions": "DNSOptions", "DnsSearch": "DNSSearch", "CpuShares": "CPUShares",
    "NanoCpus": "NanoCPUs", "CpuPeriod": "CPUPeriod", "CpuQuota": "CPUQuota",
    "CpuRealtimePeriod": "CPURealtimePeriod", "CpuRealtimeRuntime": "CPURealtimeRuntime",
    "CpuCount": "CPUCount", "CpuPercent": "CPUPercent", "HostIp": "HostIP",
}  # fmt: skip
_LONG: Final = frozenset((
    "SizeRw", "SizeRootFs", "Memory", "MemoryReservation", "MemorySwap", "MemorySwappiness", "NanoCpus",
    "CpuShares", "CpuPeriod", "CpuQuota", "CpuRealtimePeriod", "CpuRealtimeRuntime", "PidsLimit", "ShmSize",
))  # fmt: skip
# Members that are lists, maps or pointers even where they are null.
_LISTS: Final = frozenset((
    "Entrypoint", "Cmd", "Env", "OnBuild", "ExecIDs", "Binds", "CapAdd", "CapDrop", "Dns", "DnsOptions",
    "DnsSearch", "ExtraHosts", "GroupAdd", "Links", "SecurityOpt", "VolumesFrom", "DeviceCgroupRules",
    "DeviceRequests", "MaskedPaths", "ReadonlyPaths", "Aliases", "DNSNames", "SecondaryIPAddresses",
    "SecondaryIPv6Addresses",
))  # fmt: skip
_MAPS: Final = frozenset(("Labels", "Volumes", "ExposedPorts", "PortBindings", "Ports", "DriverOpts", "Data"))
_POINTERS: Final = {
    "MemorySwappiness": "int64", "OomKillDisable": "bool", "PidsLimit": "int64",
    "IPAMConfig": "network.EndpointIPAMConfig",
}  # fmt: skip
_HEALTH: Final = frozenset(("Status", "FailingStreak", "Log"))
_HEALTHCHECK: Final = frozenset(("Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"))
_ABSENT: Final[Mapping[str, Mapping[str, object]]] = {
    "State": {"Health": Absent("container.Health", _HEALTH)},
    "Config": {
        "Healthcheck": Absent("container.HealthcheckConfig", _HEALTHCHECK),
        "ExposedPorts": TypedMap(None, "struct {}"), "StopSignal": "", "StopTimeout": Absent("int"),
        "Shell": TypedList(None),
    },
    "HostConfig": {
        "Annotations": TypedMap(None), "StorageOpt": TypedMap(None), "Tmpfs": TypedMap(None),
        "Sysctls": TypedMap(None), "Runtime": "", "Init": Absent("bool"),
        "Mounts": TypedList(None, "mount.Mount"),
    },
    "": {"SizeRw": Absent("int64"), "SizeRootFs": Absent("int64")},
}  # fmt: skip


def container_struct(value: Mapping[str, Any]) -> Struct:
    """The struct for an object made by `container_inspect`."""
    return _struct("", "container.InspectResponse", value)


def _struct(name: str, type_name: str, value: Mapping[str, Any]) -> Struct:
    absent = _ABSENT.get(name, {})
    fields: dict[str, object] = {
        _GO_NAMES.get(key, key): _member(key, member) for key, member in value.items()
    }
    if name == "LogConfig":
        fields["Config"] = TypedMap(value.get("Config"))
    renamed = {go: key for key, go in _GO_NAMES.items() if go in fields}
    missing = {key: nothing for key, nothing in absent.items() if key not in fields}
    return Struct(
        type_name=type_name, fields={**fields, **missing}, json_names=renamed,
        omit_empty=frozenset(absent), pointer=name != "",
    )  # fmt: skip


def _member(name: str, value: object) -> object:
    if isinstance(value, Mapping):
        if name in _STRUCTS:
            return _struct(name, _STRUCTS[name], value)
        element = _ELEMENTS.get(name, "string")
        return TypedMap({key: _element(element, member) for key, member in value.items()}, element)
    if isinstance(value, list):
        return TypedList([_element(_ELEMENTS.get(name, "string"), member) for member in value])
    if value is None:
        return _nil(name)
    if isinstance(value, int) and not isinstance(value, bool) and name in _LONG:
        return Integer(value)
    return value


def _nil(name: str) -> object:
    if name in _MAPS:
        return TypedMap(None, _ELEMENTS.get(name, "string"))
    if name in _LISTS or name in _ELEMENTS:
        return TypedList(None, _ELEMENTS.get(name, "string"))
    return Absent(_POINTERS[name]) if name in _POINTERS else None


def _element(type_name: str, value: object) -> object:
    if isinstance(value, Mapping) and type_name != "string":
        fields: dict[str, object] = {
            _GO_NAMES.get(str(key), str(key)): _member(str(key), member) for key, member in value.items()
        }
        renamed = {go: key for key, go in _GO_NAMES.items() if go in fields}
        return Struct(type_name=type_name, fields=fields, json_names=renamed)
    if isinstance(value, list):
        return TypedList([_element(type_name, member) for member in value], type_name)
    if value is None and type_name == "nat.PortBinding":
        return TypedList(None, type_name)
    return value
