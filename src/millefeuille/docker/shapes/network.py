"""A network as Docker's object, as a row of `network ls`, and as the Go struct that templates see.

Source: moby v28.2.2, api/types/network; docker/cli v28.2.2, cli/command/network/formatter.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from millefeuille.annotations import Any
from millefeuille.docker import rfc3339
from millefeuille.docker.columns import Listing, label_header
from millefeuille.docker.template.values import Struct, Text, TypedList, TypedMap
from millefeuille.networks.lease import Endpoint, Lease
from millefeuille.networks.network import Network

NETWORKS = Listing(
    type_name="network.networkContext",
    headers={
        "ID": "NETWORK ID",
        "Name": "NAME",
        "Driver": "DRIVER",
        "Scope": "SCOPE",
        "IPv4": "IPV4",
        "IPv6": "IPV6",
        "Internal": "INTERNAL",
        "Labels": "LABELS",
        "Label": label_header,
        "CreatedAt": "CREATED AT",
    },
    columns=("ID", "Name", "Driver", "Scope"),
    named={
        "raw": "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n",
    },
)
NETWORK = "millefeuille.docker.shapes.network:network_struct"


def network_inspect(network: Network, connected: Iterable[tuple[Lease, Endpoint]]) -> dict[str, Any]:
    """The object of `GET /networks/{id}`."""
    return {
        "Name": network.name,
        "Id": network.id,
        "Created": network.created,
        "Scope": "local",
        "Driver": network.driver,
        "EnableIPv4": True,
        "EnableIPv6": False,
        "IPAM": {
            "Driver": "default",
            "Options": None if network.predefined else {},
            "Config": _ipam(network) if network.driver == "bridge" or not network.predefined else None,
        },
        "Internal": network.internal,
        "Attachable": network.attachable,
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": {lease.container: _container(lease, end) for lease, end in connected},
        "Options": _options(network),
        "Labels": dict(sorted(network.labels.items())),
    }


def network_row(network: Network, *, truncate: bool = True) -> dict[str, Any]:
    """The row of NETWORKS."""
    return {
        "ID": network.id[:12] if truncate else network.id,
        "Name": network.name,
        "Driver": network.driver,
        "Scope": "local",
        "IPv4": "true",
        "IPv6": "false",
        "Internal": _truth(network.internal),
        "Labels": ",".join(f"{key}={value}" for key, value in sorted(network.labels.items())),
        "Label": lambda name: network.labels.get(name, ""),
        "CreatedAt": rfc3339.go_string(network.created),
    }


def network_struct(value: Mapping[str, Any]) -> Struct:
    """The struct for an object made by `network_inspect`."""
    fields: dict[str, object] = {
        "Name": value["Name"],
        "ID": value["Id"],
        "Created": Text(rfc3339.go_string(value["Created"]), value["Created"]),
        **{name: value[name] for name in ("Scope", "Driver", "EnableIPv4", "EnableIPv6")},
        "IPAM": _ipam_struct(value["IPAM"]),
        **{name: value[name] for name in ("Internal", "Attachable", "Ingress")},
        "ConfigFrom": Struct(type_name="network.ConfigReference", fields=dict(value["ConfigFrom"])),
        "ConfigOnly": value["ConfigOnly"],
        "Containers": _containers(value["Containers"]),
        "Options": TypedMap(value["Options"]),
        "Labels": TypedMap(value["Labels"]),
        # What only networks of a swarm have.
        "Peers": TypedList(None, "network.PeerInfo"),
        "Services": TypedMap(None, "network.ServiceInfo"),
    }
    return Struct(
        type_name="network.Inspect", fields=fields, json_names={"ID": "Id"},
        omit_empty=frozenset(("Peers", "Services")),
    )  # fmt: skip


def _ipam(network: Network) -> list[dict[str, str]]:
    if network.subnet is None:
        return []
    found = {"Subnet": str(network.subnet)}
    if network.ip_range is not None:
        found["IPRange"] = str(network.ip_range)
    return [{**found, "Gateway": str(network.gateway)}]


def _container(lease: Lease, end: Endpoint) -> dict[str, str]:
    return {
        "Name": lease.name,
        "EndpointID": end.id,
        "MacAddress": end.mac,
        "IPv4Address": f"{end.ip}/{end.prefix}" if end.ip else "",
        "IPv6Address": "",
    }


def _options(network: Network) -> dict[str, str]:
    if network.name != "bridge":
        return dict(sorted(network.options.items()))
    return {
        "com.docker.network.bridge.default_bridge": "true",
        "com.docker.network.bridge.enable_icc": "true",
        "com.docker.network.bridge.enable_ip_masquerade": "true",
        "com.docker.network.bridge.host_binding_ipv4": network.host_address,
        "com.docker.network.bridge.name": network.interface,
        "com.docker.network.driver.mtu": str(network.mtu),
    }


def _ipam_struct(value: Mapping[str, Any]) -> Struct:
    configs = value["Config"]
    members = None if configs is None else [_config_struct(config) for config in configs]
    fields: dict[str, object] = {
        "Driver": value["Driver"],
        "Options": TypedMap(value["Options"]),
        "Config": TypedList(members, "network.IPAMConfig"),
    }
    return Struct(type_name="network.IPAM", fields=fields)


def _config_struct(config: Mapping[str, str]) -> Struct:
    fields: dict[str, object] = {name: config.get(name, "") for name in ("Subnet", "IPRange", "Gateway")}
    fields["AuxAddress"] = TypedMap({})
    return Struct(
        type_name="network.IPAMConfig", fields=fields, json_names={"AuxAddress": "AuxiliaryAddresses"},
        omit_empty=frozenset(fields),
    )  # fmt: skip


def _containers(value: Mapping[str, Mapping[str, str]]) -> TypedMap:
    name = "network.EndpointResource"
    members = {key: Struct(type_name=name, fields=dict(member)) for key, member in value.items()}
    return TypedMap(members, name)


def _truth(value: bool) -> str:
    return "true" if value else "false"
