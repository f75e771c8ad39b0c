"""A container and its network: connected before it starts, and the files of the host that say so."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.containers import records
from millefeuille.containers.host import Host
from millefeuille.containers.place import HOST_FILES
from millefeuille.containers.record import Container
from millefeuille.errors import Conflict
from millefeuille.networks import hostfiles
from millefeuille.networks.connection import Connection, network_settings
from millefeuille.networks.wishes import Wishes, wishes
from millefeuille.values import replace

_JOIN: Final = "container:"
_KINDS: Final = {"PidMode": "pid", "IpcMode": "ipc"}  # the kernel's names of what these join


class CannotJoin(Conflict):
    """The container whose namespace is to be shared does not run, or is the one that wants to join."""


def wishes_of(host: Host, container: Container) -> Wishes:
    """What a container asks of the network; another container it joins is named by its whole ID."""
    return wishes(
        container.name, container.config, joined(host, container), container.networking,
        hosts=host.place.host_file(container.id, "hosts"),
    )  # fmt: skip


def connect(host: Host, container: Container) -> Connection:
    """Give a container its network. Raises CannotJoin, and as `Networks.connect` does."""
    wanted = wishes_of(host, container)
    if wanted.mode.startswith(_JOIN):
        joined_one = records.load(host.place, wanted.mode.removeprefix(_JOIN))
        if _joins(joined_one):  # it has no network of its own: its process is in that of a third
            path = f"/proc/{records.state(host.place, joined_one.id).pid}/ns/net"
            return Connection(namespace=path, settings=network_settings(None), own=False)
    connection = host.networks.connect(container.id, wanted)
    if host.rootless and connection.namespace and not connection.own:
        # An ordinary user's commands do not see where another one mounted it.
        other = records.state(host.place, wanted.mode.removeprefix(_JOIN))
        return replace(connection, namespace=f"/proc/{other.pid}/ns/net")
    return connection


def joined(host: Host, container: Container) -> Mapping[str, Any]:
    """The container's HostConfig, with other containers whose namespaces it joins by whole IDs, also where
    they came later than it was made.

    Raises NoSuchContainer, CannotJoin.
    """
    host_config = dict(container.host_config)
    for key in ("NetworkMode", "PidMode", "IpcMode"):
        mode = str(host_config.get(key) or "")
        if mode.startswith(_JOIN):
            other = records.find(host.store, host.place, mode.removeprefix(_JOIN))
            told = records.state(host.place, other.id)
            if key == "NetworkMode" and other.id == container.id:
                raise CannotJoin("cannot join own network")
            if refusal := _refusal(key, other, mode.removeprefix(_JOIN), running=told.running):
                raise CannotJoin(refusal)
            own = f"ns:/proc/{told.pid}/ns/{_KINDS.get(key, '')}"
            host_config[key] = own if key in _KINDS else f"{_JOIN}{other.id}"
    return host_config


def called_as_joined(host: Host, container: Container) -> Container:
    """The container, called as the one whose network it joins, for its files tell of that one; so it is
    recorded. Raises NoSuchContainer, OSError.

    Source: moby v28, daemon/container_operations.go `initializeNetworking`.
    """
    owner = _owner_of_files(host, container)
    if owner == container.id:
        return container
    other = records.load(host.place, owner).config
    names = {key: other.get(key) or "" for key in ("Hostname", "Domainname")}
    if all((container.config.get(key) or "") == name for key, name in names.items()):
        return container
    with host.store.writing():  # nobody renames it meanwhile
        now = records.load(host.place, container.id)
        called = replace(now, config={**now.config, **names})
        records.save(host.place, called)
    return called


def _refusal(key: str, other: Container, called: str, *, running: bool) -> str:
    """Why a namespace of another container, `called` so by who joins it, cannot be joined, in Docker's words;
    "" where it can.
    """
    if key == "IpcMode":
        if not running:
            return f"can't join IPC of container {other.id}: container {other.id} is not running"
        if (other.host_config.get("IpcMode") or "private") in ("private", "none"):
            return (
                f"can't join IPC of container {other.id}: non-shareable IPC (hint: use IpcMode:shareable"
                " for the donor container)"
            )
    if running:
        return ""
    if key == "PidMode":
        return f"container {other.id} is not running"
    return f"cannot join network of a non running container: {called}"


def _owner_of_files(host: Host, container: Container) -> str:
    """The container whose files these are: a shared network comes with its names, from whoever made it."""
    seen = {container.id}
    while name := _joins(container):
        container = records.find(host.store, host.place, name)
        if container.id in seen:  # names have changed hands since
            break
        seen.add(container.id)
    return container.id


def _joins(container: Container) -> str:
    """The container whose network it joins, as it was named; "" for none."""
    mode = str(container.host_config.get("NetworkMode") or "")
    return mode.removeprefix(_JOIN) if mode.startswith(_JOIN) else ""


def write_host_files(host: Host, container: Container, connection: Connection) -> None:
    """Write /etc/hostname and /etc/resolv.conf, and /etc/hosts where the network did not. Raises OSError."""
    if _owner_of_files(host, container) != container.id:
        return
    wanted = wishes_of(host, container)
    place, id = host.place, container.id
    hostfiles.write(place.host_file(id, "hostname"), f"{wanted.hostname}\n")
    shared = wanted.mode == "host"
    resolver = hostfiles.resolver(
        container.host_config, host_network=shared, local=connection.resolver
    )
    hostfiles.write(place.host_file(id, "resolv.conf"), resolver)


def host_files(host: Host, container: Container) -> dict[str, str]:
    """Where the container sees these files, and where they lie on the host."""
    taken = {mount.target for mount in container.mounts}
    owner = _owner_of_files(host, container)
    return {
        f"/etc/{name}": host.place.host_file(owner, name)
        for name in HOST_FILES
        if f"/etc/{name}" not in taken
    }
