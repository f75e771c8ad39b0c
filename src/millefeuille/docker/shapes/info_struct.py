"""What `info` shows, as the Go struct that templates see.

Source: docker/cli v28.2.2, cli/command/system/info.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.docker.template.values import Absent, Integer, Struct, TypedList

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
    "DefaultAddressPools": TypedList(None, "system.NetworkAddressPool"),
    "FirewallBackend": Absent("system.FirewallInfo"),
    "DiscoveredDevices": TypedList(None, "system.DeviceInfo"),
    "ProductLicense": "",
    "Containerd": Absent("system.ContainerdInfo"),
}


def info_struct(info: Mapping[str, Any], client: Mapping[str, Any]) -> Struct:
    """The struct for an object made by `info_json`, and one that describes the command."""
    fields = {_GO_NAMES.get(name, name): _field(name, value) for name, value in info.items()}
    engine = Struct(
        type_name="system.Info", fields={**fields, **_ABSENT}, pointer=True, omit_empty=frozenset(_ABSENT),
        json_names={go: name for name, go in _GO_NAMES.items()},
    )  # fmt: skip
    described = Struct(type_name="system.clientInfo", fields=dict(client), pointer=True)
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
    if name in _PARTS:
        return Struct(type_name=_PARTS[name], fields=value)
    return value
