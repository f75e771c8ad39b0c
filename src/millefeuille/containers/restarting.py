"""Restarting: a container that waits for its next start has no process that anything could be done to."""

from __future__ import annotations

from millefeuille.containers.record import Container
from millefeuille.containers.state import State
from millefeuille.errors import Conflict


class ContainerRestarting(Conflict):
    """The container waits for its next start; the message is Docker's."""


def refuse_restarting(container: Container, told: State) -> None:
    """Raise ContainerRestarting for a container whose state says so."""
    if told.status == "restarting":
        raise ContainerRestarting(
            f"Container {container.id} is restarting, wait until the container is running"
        )
