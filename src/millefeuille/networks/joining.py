"""Joining: which networks a container can be connected to beside what it is on; the words are Docker's.

Source: moby v20.10.24, daemon/container_operations.go and runconfig/errors.go.
"""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.errors import Conflict
from millefeuille.networks.ends import BadEndpoint

_HOST: Final = "container cannot be disconnected from host network or connected to host network"
_NONE: Final = (
    "container cannot be connected to multiple networks with one of the networks in private (none) mode"
)
_SHARED: Final = (
    "container sharing network namespace with another container or host cannot be connected to any other"
    " network"
)


class AlreadyConnected(Conflict):
    """The container is on the network; the message is Docker's."""


def check_joining(container: str, mode: str, network: str, *, elsewhere: bool) -> None:
    """Hold that a container of that name, with Docker's NetworkMode `mode`, can be connected to one more
    network; `elsewhere`: it is on one that is neither Docker's host nor none.

    Raises AlreadyConnected, BadEndpoint.
    """
    if mode == network and mode in ("host", "none"):
        raise AlreadyConnected(f"endpoint with name {container} already exists in network {network}")
    if network == "host":
        raise BadEndpoint(_HOST)
    if mode == "host" or mode.startswith("container:"):
        raise BadEndpoint(_SHARED)
    if mode == "none" or (network == "none" and elsewhere):
        raise BadEndpoint(_NONE)


def check_leaving(mode: str, network: str) -> None:
    """Hold that a container can be disconnected from a network. Raises BadEndpoint."""
    if mode == network == "host":
        raise BadEndpoint(_HOST)
