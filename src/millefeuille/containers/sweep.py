"""Sweep: what killed commands and monitors, or a restart of the machine, have left of containers.

Every command on containers begins with it. It looks at directories and locks only, and does nothing when
there is nothing to do.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.containers import records, removal
from millefeuille.containers.happening import note
from millefeuille.containers.host import Host
from millefeuille.containers.place import Place
from millefeuille.containers.record import NEVER, Container
from millefeuille.containers.state import State
from millefeuille.errors import Corrupt
from millefeuille.later import Later
from millefeuille.oci.moment import rfc3339
from millefeuille.store import containers
from millefeuille.store.store import Store
from millefeuille.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.containers import ending, idle
else:
    ending = Later("millefeuille.containers.ending")
    idle = Later("millefeuille.containers.idle")

_PATIENCE: Final = 5.0  # seconds that the start of a container may take


def abandoned(store: Store, place: Place) -> list[str]:
    """The IDs of containers that need attention."""
    ids = place.ids()
    if not ids and not os.path.isdir(f"{place.run}/containers"):
        return []
    rows = _known(store)
    bundles = set(_list(f"{place.run}/containers"))
    return [id for id in sorted({*ids, *bundles}) if _is_abandoned(place, id, id in rows, id in bundles)]


def sweep(host: Host) -> list[str]:
    """Put in order what `abandoned` names; the IDs of containers that something was done for. What there is
    no room for, or a read-only disk does not allow, is left to the next command: the one that is about to
    begin may be the one that makes room.
    """
    done = [id for id in abandoned(host.store, host.place) if _is_tidied(host, id)]
    with _where_there_is_room():
        host.networks.sweep(lambda id: _idle(host.place, id))
    with _where_there_is_room():
        host.volumes.sweep()
    with _where_there_is_room():
        host.snapshots.release_idle()
    return done


@contextlib.contextmanager
def _idle(place: Place, id: str) -> Iterator[bool]:
    """Whether nobody has a container in hand; and nobody will while this lasts, for that takes its lock."""
    try:
        lock = files.open_lock(place.lock(id))
    except (FileNotFoundError, NotADirectoryError):
        yield True
        return
    try:
        yield files.try_lock(lock)
    finally:
        files.release(lock)


def _is_abandoned(place: Place, id: str, has_row: bool, has_bundle: bool) -> bool:
    told = records.recorded(place, id)
    if records.is_alive(place, id) and (told.running or not has_bundle or _gets_on(place, id)):
        return False
    told = records.recorded(place, id)
    return not has_row or told.running or told.status == "removing" or has_bundle


def _gets_on(place: Place, id: str) -> bool:
    """Wait while a container is being started or ended; False when nobody has it in hand any more.

    Where a monitor was killed while the runtime started a container, only the runtime still holds its lock.
    """
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if not records.is_alive(place, id):
            return False
        if records.recorded(place, id).running:
            return True
        time.sleep(0.01)
    return True


def _is_tidied(host: Host, id: str) -> bool:
    """As `tidy`; False too where the disk has no room for it, or is read-only."""
    with _where_there_is_room():
        return tidy(host, id)
    return False


@contextlib.contextmanager
def _where_there_is_room() -> Iterator[None]:
    """Leave the block where the disk has no room, or is read-only."""
    try:
        yield
    except (files.DiskFull, files.ReadOnlyStore):
        return
    except OSError as error:
        if error.errno not in files.NO_ROOM and error.errno != errno.EROFS:
            raise


def tidy(host: Host, id: str) -> bool:
    """Give back what a container that does not run had of the host, and remove it if it was to go at its end;
    False while somebody has it in hand. Doing it again is no error.
    """
    lock = _lock(host.place, id)
    try:
        if lock >= 0 and not files.try_lock(lock):
            return False  # somebody has it in hand
        _put_in_order(host, id)
        return True
    finally:
        if lock >= 0:
            files.release(lock)


def _lock(place: Place, id: str) -> int:
    """A container's lock, made where there is none yet, so that whoever makes the container just now finds it
    taken; -1 where there is no directory. Raises OSError.
    """
    path = place.lock(id)
    try:
        try:
            return files.open_lock(path)
        except FileNotFoundError:
            return files.create(path, exclusive=False)
    except (FileNotFoundError, NotADirectoryError):
        return -1


def _put_in_order(host: Host, id: str) -> None:
    """What `tidy` does, for whoever holds the container's lock."""
    place = host.place
    has_row = id in _known(host.store)
    told = records.recorded(place, id)
    container = _record(place, id)
    leaves = container is not None and _leaves(container, told)
    if not has_row or told.status == "removing" or leaves:
        removal.discard(host, id)
        if container is not None and leaves:
            note(host.store, container, "destroy")
            removal.drop_volumes(host, container)
        return
    removal.quiet(host, id)
    if told.running:
        records.save_state(place, id, _ended(told))


def _ended(told: State) -> State:
    """The state of a container whose monitor was killed."""
    return replace(
        told, status="exited", pid=0, exit_code=records.KILLED, finished=rfc3339(time.time_ns()),
        error=records.UNSEEN,
    )  # fmt: skip


def tidy_after(host: Host, container: Container) -> None:
    """The same for a container whose end was just reported: once its monitor is gone. Raises LockTimeout."""
    ending.await_release(host, container)
    tidy_unless_running(host, container)
    host.snapshots.release_idle()


def tidy_unless_running(host: Host, container: Container) -> None:
    """The same once nobody has it in hand, even if that is who tidies; not at all if it is started again.
    Raises LockTimeout.
    """
    def running() -> bool | None:
        return records.state(host.place, container.id).running or None

    with contextlib.suppress(containers.NoSuchContainer):
        is_running, lock = idle.found_or_held(host.place, container, running)
        if is_running:
            return
        try:
            with _where_there_is_room():
                _put_in_order(host, container.id)
        finally:
            files.release(lock)


def _leaves(container: Container, told: State) -> bool:
    """Whether it was to be removed at its end, and has begun."""
    return bool(container.host_config.get("AutoRemove")) and told.started != NEVER


def _record(place: Place, id: str) -> Container | None:
    try:
        return records.load(place, id)
    except (containers.NoSuchContainer, Corrupt):
        return None


def _known(store: Store) -> set[str]:
    if not store.exists():
        return set()
    with store.reading() as tx:
        return {row.id for row in containers.rows(tx)}


def _list(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []
