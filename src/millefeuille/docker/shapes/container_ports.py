"""Ports of a container: as the list of the API, and as the text of `ps` and `port`.

Source: docker/cli v28.2.2, cli/command/formatter/container.go, DisplayablePorts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from millefeuille.annotations import Any

Ports = Mapping[str, Sequence[Mapping[str, str]] | None]


def port_list(ports: Ports) -> list[dict[str, Any]]:
    """The member `Ports` of a listed container, from that of its NetworkSettings."""
    found: list[dict[str, Any]] = []
    for key in ports:
        number, _, protocol = key.partition("/")
        inner = {"PrivatePort": int(number), "Type": protocol or "tcp"}
        bindings = ports[key] or ()
        if not bindings:
            found.append(inner)
        for binding in bindings:
            found.append({
                "IP": binding.get("HostIp", ""), "PrivatePort": inner["PrivatePort"],
                "PublicPort": int(binding.get("HostPort") or 0), "Type": inner["Type"],
            })  # fmt: skip
    return found


def ports_text(ports: Iterable[Mapping[str, Any]]) -> str:
    """The PORTS of `ps`: ranges where the numbers inside and outside are the same and follow each other."""
    groups: dict[str, list[int]] = {}
    closed: list[str] = []
    mappings: list[str] = []
    for port in sorted(ports, key=_order):
        inner, outer, address = port["PrivatePort"], port.get("PublicPort", 0), port.get("IP", "")
        if address and outer != inner:
            mappings.append(f"{_joined(address, str(outer))}->{inner}/{port['Type']}")
            continue
        key = f"{address}/{port['Type']}"
        group = groups.get(key)
        if group is not None and inner == group[1] + 1:
            group[1] = inner
            continue
        if group is not None:
            closed.append(_group(key, *group))
        groups[key] = [inner, inner]
    return ", ".join([*closed, *(_group(key, *group) for key, group in groups.items()), *mappings])


def published_lines(ports: Ports) -> list[tuple[str, str]]:
    """(`80/tcp`, `0.0.0.0:8080`) for each published port, in the order of numbers."""
    return [
        (key, _joined(binding.get("HostIp", ""), binding.get("HostPort", "")))
        for key in sorted(ports, key=lambda key: (int(key.partition("/")[0]), key))
        for binding in ports[key] or ()
    ]


def _group(key: str, first: int, last: int) -> str:
    address, _, protocol = key.partition("/")
    numbers = str(first) if first == last else f"{first}-{last}"
    shown = f"{_joined(address, numbers)}->{numbers}" if address else numbers
    return f"{shown}/{protocol}"


def _joined(address: str, port: str) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _order(port: Mapping[str, Any]) -> tuple[int, str, int, str]:
    return port["PrivatePort"], port.get("IP", ""), port.get("PublicPort", 0), port["Type"]
