"""Remaining: whether a container's root will still be there in a moment."""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.containers import records
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.errors import Conflict

_GOING: Final = {"removing": "being removed", "dead": "Dead"}


class ContainerGoing(Conflict):
    """The container is on its way out; the message is Docker's."""


def refuse_going(place: Place, container: Container, act: str) -> None:
    """Raise ContainerGoing for a container that is being removed; `act` is what was asked for."""
    status = records.state(place, container.id).status
    if status in _GOING:
        raise ContainerGoing(f"You cannot {act} container {container.id} which is {_GOING[status]}")
