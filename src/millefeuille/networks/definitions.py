"""Definitions: the networks of one store, by name and ID."""

from __future__ import annotations

import contextlib
import os

from millefeuille import files
from millefeuille.errors import Corrupt, Invalid, NotFound
from millefeuille.networks.network import (
    PREDEFINED,
    Network,
    decode,
    encode,
    predefined,
    store_of,
)
from millefeuille.plainjson import dumps, loads


class NoSuchNetwork(NotFound):
    """No network has this name or ID; the message is Docker's."""


class AmbiguousNetwork(Invalid):
    """More than one network's ID begins so; the message is Docker's."""


class DamagedNetwork(Corrupt):
    """The record of a network cannot be read."""


class Definitions:
    """The records in one directory, and Docker's three networks that need none."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.store = store_of(directory)

    def every(self) -> list[Network]:
        """All networks by name. Raises DamagedNetwork."""
        found = {name: predefined(self.directory, name) for name in PREDEFINED}
        found.update({network.name: network for network in self._recorded()})
        return sorted(found.values(), key=lambda network: network.name)

    def find(self, text: str) -> Network:
        """The network that `text` means: an ID, a name, or the beginning of an ID.

        Raises NoSuchNetwork, AmbiguousNetwork.
        """
        networks = self.every()
        for network in networks:
            if text in (network.id, network.name):
                return network
        started = [network for network in networks if text and network.id.startswith(text)]
        if len(started) > 1:
            raise AmbiguousNetwork(
                f"network {text} is ambiguous ({len(started)} matches found based on ID prefix)"
            )
        if not started:
            raise NoSuchNetwork(f"network {text} not found")
        return started[0]

    def save(self, network: Network) -> None:
        """Write a network down, durably. Raises OSError."""
        path = f"{self.directory}/{network.id}.json"
        files.replace_file(path, dumps(encode(network)).encode())

    def forget(self, network: Network) -> None:
        """Remove a network's record, durably."""
        files.unlink(f"{self.directory}/{network.id}.json")
        files.sync_directory(self.directory)

    def _recorded(self) -> list[Network]:
        found = []
        names: list[str] = []
        with contextlib.suppress(FileNotFoundError):
            names = sorted(name for name in os.listdir(self.directory) if name.endswith(".json"))
        for name in names:
            path = f"{self.directory}/{name}"
            try:
                with open(path, "rb") as file:
                    found.append(decode(loads(file.read()), self.store))
            except FileNotFoundError:
                continue  # removed meanwhile
            except (ValueError, KeyError, TypeError) as error:
                raise DamagedNetwork(
                    f"{path}: not a network's record ({error})",
                    advice="Remove the file, and make the network again.",
                ) from error
        return found
