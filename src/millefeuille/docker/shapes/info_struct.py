"""What `info` shows, as the Go struct that templates see.

Source: docker/cli v28.2.2, cli/command/system/info.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.docker.template.values import Absent, Integer, Struct, TypedList, TypedMap

_NUMBERS = ("MemTotal",)
_STRINGS = ("Labels", "SecurityOptions", "CDISpecDirs", "Warnings")
_PARTS = {
    "Plugins": "system.PluginsInfo",
    "Swarm": "swarm.Info",
    "ContainerdCommit": "system.Commit",
    "RuncCommit": "system.Commit",
    "InitCommit": "system.Commit",
    "RegistryConfig": "registry.ServiceConfig",
}


# Go's names of members whose JSON name is another.
_GO_NAMES = {
    "CpuCfsPeriod": "CPUCfsPeriod", "CpuCfsQuota": "CPUCfsQuota", "HttpProxy": "HTTPProxy",
    "HttpsProxy": "HTTPSProxy",
}  # fmt: skip
# Members that are in JSON only when there is something to tell.
_ABSENT: Mapping[str, object] = {
    "SystemStatus": TypedList(None, "[2]string"),
    "KernelMemory": False,
    "KernelMemoryTCP": False,
    "DefaultAddressPools": TypedList(None, "system.NetworkAddressPool"),
    "FirewallBackend": Absent("system.FirewallInfo", frozenset(("Driver", "Info"))),
    "DiscoveredDevices": TypedList(None, "system.DeviceInfo"),
    "ProductLicense": "",
    "Containerd": Absent("system.ContainerdInfo", frozenset(("Address", "Namespaces"))),
}
# The same for its parts, by their Go types.
_ABSENT_IN_PART: Mapping[str, Mapping[str, object]] = {
    "system.Commit": {"Expected": ""},
    "swarm.Info": {
        "Nodes": 0, "Managers": 0, "Warnings": TypedList(None),
        "Cluster": Absent("swarm.ClusterInfo", frozenset((
            "ID", "Meta", "Version", "CreatedAt", "UpdatedAt", "Spec", "TLSInfo", "RootRotationInProgress",
            "DefaultAddrPool", "SubnetSize", "DataPathPort",
        ))),
    },
    "registry.ServiceConfig": {
        "AllowNondistributableArtifactsCIDRs": TypedList(None, "*registry.NetIPNet"),
        "AllowNondistributableArtifactsHostnames": TypedList(None),
    },
    "system.RuntimeWithStatus": {
        "Args": TypedList(None), "Type": "", "Options": TypedMap(None, "interface {}", None),
        "Status": TypedMap(None),
    },
}  # fmt: skip
_ABSENT_IN_CLIENT: Mapping[str, object] = {
    "Platform": Absent("system.platformInfo", frozenset(("Name",))), "APIVersion": "",
}  # fmt: skip


def info_struct(info: Mapping[str, Any], client: Mapping[str, Any]) -> Struct:
    """The struct for an object made by `info_json`, and one that describes the command."""
    fields = {_GO_NAMES.get(name, name): _field(name, value) for name, value in info.items()}
    engine = Struct(
        type_name="system.Info", fields={**fields, **_ABSENT}, pointer=True, omit_empty=frozenset(_ABSENT),
        json_names={go: name for name, go in _GO_NAMES.items()},
    )  # fmt: skip
    described = Struct(
        type_name="system.clientInfo", pointer=True, omit_empty=frozenset(_ABSENT_IN_CLIENT),
        fields={**_ABSENT_IN_CLIENT, **{name: _field(name, value) for name, value in client.items()}},
    )  # fmt: skip
    return Struct(
        type_name="system.dockerInfo",
        fields={
            "Info": engine, "ServerErrors": TypedList(None), "UserName": "", "ClientInfo": described,
            "ClientErrors": TypedList(None),
        },
        json_names={"UserName": ""},
        omit_empty=frozenset(("ServerErrors", "ClientErrors")),
        embedded=frozenset({"Info"}),
    )  # fmt: skip


def _field(name: str, value: Any) -> object:
    if name in _NUMBERS:
        return Integer(value)
    if name in _STRINGS:
        return TypedList(value)
    if name in _PARTS and isinstance(value, Mapping):
        return _part(_PARTS[name], value)
    if name == "Runtimes":
        runtime = "system.RuntimeWithStatus"
        members = {key: _part(runtime, {"Path": member["path"]}) for key, member in value.items()}
        return TypedMap(members, runtime, _part(runtime, {"Path": ""}))
    return value


def _part(type_name: str, fields: Mapping[str, Any]) -> Struct:
    absent = _ABSENT_IN_PART.get(type_name, {})
    return Struct(
        type_name=type_name, fields={**fields, **absent}, omit_empty=frozenset(absent),
        json_names={"Path": "path"},
    )  # fmt: skip
