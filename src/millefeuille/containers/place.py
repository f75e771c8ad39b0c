"""Place: where the files of containers lie. Nothing else knows these paths.

    <root>/containers/<id>/config.json      the record, as created
                          /state.json       what its process does, or how it ended
                          /filled           empty: its volumes have got what the image has for them
                          /lock             held by the container's monitor as long as that lives
                          /<id>-json.log    its output
                          /hostname, hosts, resolv.conf
    <run>/containers/<id>/config.json       the runtime's bundle
                         /rootfs            where the root is attached, in the monitor's mount namespace
                         /monitor.json      what the monitor was told
                         /attach.sock       where clients meet the monitor
    <run>/short/<id's first digits>         sockets whose path has to be short
    <run>/runtime/                          the runtime's own state

What lies under `run` does not outlive a boot.
"""

from __future__ import annotations

import os

from millefeuille.annotations import Final
from millefeuille.values import dataclass

HOST_FILES: Final = ("hostname", "hosts", "resolv.conf")


@dataclass(frozen=True, slots=True)
class Place:
    """The paths of one store's containers. `root` is the store's, `run` that of what a boot forgets."""

    root: str
    run: str

    @property
    def containers(self) -> str:
        """The directory of all containers."""
        return f"{self.root}/containers"

    def directory(self, id: str) -> str:
        """A container's own directory."""
        return f"{self.root}/containers/{id}"

    def record(self, id: str) -> str:
        """The file of its record."""
        return f"{self.directory(id)}/config.json"

    def state(self, id: str) -> str:
        """The file of its state."""
        return f"{self.directory(id)}/state.json"

    def filled(self, id: str) -> str:
        """The file that says that its volumes have got what the image has for them."""
        return f"{self.directory(id)}/filled"

    def lock(self, id: str) -> str:
        """The file that its monitor holds a lock on."""
        return f"{self.directory(id)}/lock"

    def log(self, id: str) -> str:
        """Its output."""
        return f"{self.directory(id)}/{id}-json.log"

    def host_file(self, id: str, name: str) -> str:
        """One of HOST_FILES."""
        return f"{self.directory(id)}/{name}"

    def bundle(self, id: str) -> str:
        """The runtime's bundle, with everything else that a boot forgets."""
        return f"{self.run}/containers/{id}"

    def rootfs(self, id: str) -> str:
        """Where the root is attached."""
        return f"{self.bundle(id)}/rootfs"

    def order(self, id: str) -> str:
        """What the monitor was told."""
        return f"{self.bundle(id)}/monitor.json"

    def socket(self, id: str) -> str:
        """Where clients meet the monitor; longer than a socket's address may be, see `client.connect`."""
        return f"{self.bundle(id)}/attach.sock"

    def short(self, id: str) -> str:
        """A path for a socket that another program must be told of."""
        return f"{self.run}/short/{id[:16]}"

    @property
    def runtime(self) -> str:
        """The runtime's state."""
        return f"{self.run}/runtime"

    def ids(self) -> list[str]:
        """The containers that have a directory."""
        try:
            return sorted(os.listdir(self.containers))
        except FileNotFoundError:
            return []
