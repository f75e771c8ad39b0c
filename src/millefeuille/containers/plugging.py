"""Plugging: connect a container to one more network, or disconnect it, whether it runs or not."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.containers import records
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.networks.joining import AlreadyConnected, check_joining, check_leaving
from millefeuille.networks.network import Network
from millefeuille.networks.networks import Networks, NotConnected
from millefeuille.networks.wishes import LEFT, Wishes, wishes
from millefeuille.values import replace


def wishes_of(place: Place, container: Container) -> Wishes:
    """What a container asks of the network, all in all."""
    return wishes(
        container.name, container.config, container.host_config, container.networking,
        hosts=place.host_file(container.id, "hosts"),
    )  # fmt: skip


def plug(place: Place, networks: Networks, container: Container, text: str, wish: Mapping[str, Any]) -> None:
    """Connect a container to the network that `text` means, as Docker's EndpointSettings `wish` asks for.

    Raises NoSuchNetwork, AlreadyConnected, NotConnected, BadEndpoint, and what `Networks.connect` raises.
    """
    network = networks.get(text)
    asked = wishes_of(place, container)
    check_joining(container.name, asked.mode, network.name, elsewhere=bool(asked.endpoints))
    if network.name in asked.endpoints or network.id in asked.endpoints:
        raise AlreadyConnected(
            f"endpoint with name {container.name} already exists in network {network.name}"
        )
    if records.state(place, container.id).running:
        networks.attach(container.id, asked, network.id, wish)
    config = container.networking.get("EndpointsConfig") or {}
    left = _left(container, network)
    records.save(
        place,
        replace(
            container,
            networking={
                **container.networking,
                "EndpointsConfig": {**config, network.name: dict(wish)},
                LEFT: [name for name in left if name != network.name],
            },
        ),
    )


def unplug(place: Place, networks: Networks, container: Container, text: str) -> None:
    """Disconnect a container from a network. Raises NoSuchNetwork, NotConnected, BadEndpoint, OSError."""
    network = networks.get(text)
    asked = wishes_of(place, container)
    check_leaving(asked.mode, network.name)
    names = {name for name in (network.name, network.id) if name in asked.endpoints}
    if asked.mode == network.name == "none":
        names = {network.name}
    if not names:
        raise NotConnected(f"container {container.id} is not connected to network {network.name}")
    if records.state(place, container.id).running:
        networks.detach(container.id, network.id)
    config = container.networking.get("EndpointsConfig") or {}
    kept = {name: wish for name, wish in config.items() if name not in names}
    left = sorted({*_left(container, network), *names})
    records.save(
        place, replace(container, networking={**container.networking, "EndpointsConfig": kept, LEFT: left})
    )


def _left(container: Container, network: Network) -> list[str]:
    return [str(name) for name in container.networking.get(LEFT) or () if name != network.name]
