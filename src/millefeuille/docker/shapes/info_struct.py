"""What `info` shows, as the Go struct that templates see.

Source: docker/cli v28.2.2, cli/command/system/info.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.docker.template.values import Integer, Struct, TypedList

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


def info_struct(info: Mapping[str, Any], client: Mapping[str, Any]) -> Struct:
    """The struct for an object made by `info_json`, and one that describes the command."""
    fields = {name: _field(name, value) for name, value in info.items()}
    engine = Struct(type_name="system.Info", fields=fields, pointer=True)
    described = Struct(type_name="system.clientInfo", fields=dict(client), pointer=True)
    return Struct(
        type_name="system.dockerInfo",
        fields={"Info": engine, "ClientInfo": described},
        embedded=frozenset({"Info"}),
    )


def _field(name: str, value: Any) -> object:
    if name in _NUMBERS:
        return Integer(value)
    if name in _STRINGS:
        return TypedList(value)
    if name in _PARTS:
        return Struct(type_name=_PARTS[name], fields=value)
    return value
