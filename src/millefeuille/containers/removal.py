"""Removal: everything that was made for a container, in an order that can be taken up again.

    process killed ─► network left, writable root gone ─► row gone, directory doomed (one transaction)

Every step promises a state, not an act: doing it again is no error.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.containers import records
from millefeuille.containers.connection import NotRunning, Unanswering, connected
from millefeuille.containers.happening import note
from millefeuille.containers.host import Host
from millefeuille.containers.record import Container
from millefeuille.containers.volumeusers import sure_users
from millefeuille.errors import Conflict
from millefeuille.later import Later
from millefeuille.plainjson import loads
from millefeuille.runtime import cgroup
from millefeuille.store import removal as rows
from millefeuille.store.containers import NoSuchContainer
from millefeuille.values import replace
from millefeuille.volumes.volumes import VolumeInUse, VolumeNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille import beside
    from millefeuille.containers import ending, stranded
    from millefeuille.snapshots import attach
else:
    attach = Later("millefeuille.snapshots.attach")
    beside = Later("millefeuille.beside")
    ending = Later("millefeuille.containers.ending")
    stranded = Later("millefeuille.containers.stranded")


_HINT: Final = ": stop the container before removing or force remove"


class ContainerRunning(Conflict):
    """A container that runs is not removed without force."""


def remove(host: Host, container: Container, *, force: bool = False, volumes: bool = False) -> None:
    """Remove a container, of which no more than the row may be left; with `volumes`, its anonymous volumes.

    Raises ContainerRunning, LockTimeout, and NoSuchContainer when somebody else has removed it meanwhile.
    """
    if _runs(host, container.id):
        if not force:
            raise _running(host, container)
        end(host, container)
    elif force and records.is_alive(host.place, container.id):
        end(host, container)  # it is just being started, or its monitor could not write down that it runs
    lock = _held(host, container)
    try:
        _promise(host, container)
        discard(host, container.id)
        note(host.store, container, "destroy")
    finally:
        files.release(lock)
    if volumes:
        drop_volumes(host, container)


def _runs(host: Host, id: str) -> bool:
    """Whether it does; of one whose state cannot be read its monitor tells by being there."""
    place = host.place
    return records.state(place, id).running or bool(
        records.state_damage(place, id) and records.is_alive(place, id)
    )


def _held(host: Host, container: Container) -> int:
    """The container's lock, held. Raises NoSuchContainer, LockTimeout."""
    directory, path = host.place.directory(container.id), host.place.lock(container.id)
    if not os.path.isdir(directory):
        # Its directory is gone: removed, or lost while there is a row, which is to go too.
        _refuse_gone(host, container)
        files.unlink(directory)
        files.make_directory(directory)
    try:
        lock = files.create(path, exclusive=False)
    except FileNotFoundError:
        raise NoSuchContainer(f"No such container: {container.name}") from None
    try:
        files.lock(lock, f"container {container.short}")
        # Whoever removed it had the lock until now.
        _refuse_gone(host, container)
    except BaseException:
        files.release(lock)
        raise
    return lock


def _refuse_gone(host: Host, container: Container) -> None:
    if not records.is_recorded(host.store, container.id):
        raise NoSuchContainer(f"No such container: {container.name}")


def _promise(host: Host, container: Container) -> None:
    """Note that the container is being removed, so that whoever comes after a kill goes on with it."""
    told = replace(records.recorded(host.place, container.id), status="removing", pid=0)
    try:
        records.save_state(host.place, container.id, told)
    except files.DiskFull:
        with host.store.writing(emergency=True):  # which has some room put by
            records.save_state(host.place, container.id, told)


def drop_volumes(host: Host, container: Container) -> None:
    """Remove the volumes that were made for a container, if no other uses them."""
    for mount in container.mounts:
        if mount.anonymous:
            try:
                users = sure_users(host.store, host.place).get(mount.name, ())
                host.volumes.remove(mount.name, users=users)
            except (VolumeInUse, VolumeNotFound, records.DamagedRecord):
                continue


def discard(host: Host, id: str) -> None:
    """Undo everything that bears this ID; for whoever holds the container's lock, or has just made it."""
    with _quieting(host, id):
        host.snapshots.remove(id)
    with host.store.writing(emergency=True) as tx:
        rows.remove_container(tx, id)
        tx.drop(host.place.directory(id))  # without a row, the next sweep would remove it


def quiet(host: Host, id: str) -> None:
    """End what runs of a container, and give back what it had of the host: processes, network, bundle."""
    with _quieting(host, id):
        return


@contextlib.contextmanager
def _quieting(host: Host, id: str) -> Iterator[None]:
    """Have it quiet for the length of the block but for its network, which the kernel takes its time to take
    apart, and has done by the end.
    """
    if not os.path.isdir(host.place.bundle(id)):
        yield
        return
    _end_processes(host, id)
    with beside.beside(lambda: host.networks.disconnect(id)):
        _leave_root(host.place.rootfs(id))
        yield
    files.remove_tree(host.place.bundle(id))


def _end_processes(host: Host, id: str) -> None:
    """Kill what runs of a container. Where nobody has taken its control group away yet, the monitor's order
    tells which that is: one below a parent, or under the name that an earlier version gave it.
    """
    is_left = os.path.exists(host.runtime.state_of(id))
    host.runtime.delete(id)
    if is_left and (group := _told_group(host, id)):
        cgroup.remove(group)


def _told_group(host: Host, id: str) -> str:
    try:
        with open(host.place.order(id), "rb") as file:
            directories = loads(file.read())["groups"]
        group = str(directories[0]).removeprefix(cgroup.ROOT)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return ""
    return group if group.endswith(id) else ""


def _leave_root(rootfs: str) -> None:
    """Make sure that nothing shows where a root was attached: in the monitor's mount namespace its files do,
    and would be removed with the bundle. Raises OSError when they still do after all.
    """
    attach.detach([rootfs])
    files.remove_directory(rootfs)


def end(host: Host, container: Container) -> None:
    """Kill a container's process, and wait until its monitor has taken note; never to start again. A monitor
    that listens to nobody is killed, too.
    """
    try:
        with connected(host.place, container.id) as connection:
            note(host.store, container, "kill", signal="9")
            if not ending.end_at_once(host, container, connection):
                ending.end_monitor(host.place, container.id, connection)
    except (NotRunning, Unanswering) as error:
        with stranded.found(host.place, container, silent=isinstance(error, Unanswering)) as found:
            if found is not None:
                note(host.store, container, "kill", signal="9")
                found.end()


def _running(host: Host, container: Container) -> ContainerRunning:
    status = records.state(host.place, container.id).status
    what = {
        "paused": "is paused and must be unpaused first",
        "restarting": f"is restarting{_HINT}",
    }.get(status, f"is running{_HINT}")
    return ContainerRunning(f'cannot remove container "{container.name}": container {what}')
