"""Plugging: connect a container to one more network, or disconnect it, whether it runs or not."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.containers import records
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.networks import ends
from millefeuille.networks.definitions import NoSuchNetwork
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
        networks.note("connect", network, container=container.id)
    else:
        ends.check(network, wish)
    config = container.networking.get("EndpointsConfig") or {}
    left = _left(container, network.name)
    records.save(
        place,
        replace(
            container,
            networking={
                **container.networking,
                "EndpointsConfig": {**config, network.name: dict(wish)},
                LEFT: left,
            },
        ),
    )


def unplug(
    place: Place, networks: Networks, container: Container, text: str, *, force: bool = False
) -> None:  # fmt: skip
    """Disconnect a container from a network: one that does not run, or with `force`, also from a network that
    is gone. Raises NoSuchNetwork, NotConnected, BadEndpoint, OSError.

    Source: moby v20.10.24, daemon/container_operations_unix.go `DisconnectFromNetwork`.
    """
    running = records.state(place, container.id).running
    network = _known(networks, text, gone=force or not running)
    name, id = (network.name, network.id) if network is not None else (text, text)
    asked = wishes_of(place, container)
    check_leaving(asked.mode, name)
    names = {one for one in (name, id) if one in asked.endpoints}
    if asked.mode == name == "none":
        names = {name}
    if not names:
        its = "network" if running and network is not None else "the network"
        raise NotConnected(f"container {container.id} is not connected to {its} {name}")
    if running and network is not None:
        networks.detach(container.id, id)
    config = container.networking.get("EndpointsConfig") or {}
    kept = {name: wish for name, wish in config.items() if name not in names}
    left = sorted({*_left(container, name), *names})
    records.save(
        place, replace(container, networking={**container.networking, "EndpointsConfig": kept, LEFT: left})
    )
    if network is not None:
        networks.note("disconnect", network, container=container.id)


def _known(networks: Networks, text: str, *, gone: bool) -> Network | None:
    """The network that `text` means; None where there is none, and `gone` says that this may be."""
    try:
        return networks.get(text)
    except NoSuchNetwork:
        if not gone:
            raise
        return None


def _left(container: Container, network: str) -> list[str]:
    return [str(name) for name in container.networking.get(LEFT) or () if name != network]
