"""Records of containers on the disk, and what they are doing now.

A container's monitor holds the lock in its directory. Who finds a state that says "running" beside a lock
that is free knows that the monitor was killed, or the machine restarted.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.containers import record as shape
from millefeuille.containers import state as states
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.containers.state import State
from millefeuille.errors import Corrupt, Invalid, Unnamed
from millefeuille.later import Later
from millefeuille.oci.moment import rfc3339
from millefeuille.plainjson import dumps, loads
from millefeuille.store import containers
from millefeuille.store.containers import NoSuchContainer
from millefeuille.store.store import Store
from millefeuille.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.containers.monitor import overwriting
else:
    overwriting = Later("millefeuille.containers.monitor.overwriting")

__all__ = ["DamagedRecord", "NoSuchContainer", "every", "find", "is_alive", "known", "load", "state"]

KILLED = 137  # what a container's end is called whose monitor is gone: nobody saw it
UNSEEN: Final = "its monitor was killed"  # and what the state says of it then


# What reading a document of another form comes to, and what a damaged disk says instead of it.
_MISREAD: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError, Invalid)
_UNREADABLE: Final = frozenset((errno.EIO, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.EUCLEAN))


class DamagedRecord(Corrupt):
    """A container's record cannot be read."""


def find(store: Store, place: Place, text: str) -> Container:
    """The container that `text` means: an ID, a name, the beginning of an ID.

    Raises NoSuchContainer, AmbiguousPrefix, DamagedRecord, Unnamed.
    """
    container = known(store, place, text)
    if container.damage:
        raise damaged(container)
    return container


def known(store: Store, place: Place, text: str) -> Container:
    """The same, for whoever lists or removes it: with `damage` where its record cannot be read.

    Raises NoSuchContainer, AmbiguousPrefix, Unnamed.
    """
    if not text.strip():
        raise Unnamed("invalid container name or ID: value is empty")
    if not store.exists():
        raise NoSuchContainer(f"No such container: {text}")
    with store.reading() as tx:
        row = containers.find(tx, text)
    return _loaded(store, place, row)


def damaged(container: Container) -> DamagedRecord:
    """The error of one that cannot be used for what is wrong with its record."""
    advice = f"Remove the container with `mille rm -f {container.short}`."
    return DamagedRecord(container.damage, advice=advice)


def every(store: Store, place: Place) -> list[Container]:
    """All containers, the newest first; with `damage` those whose record cannot be read."""
    if not store.exists():
        return []
    with store.reading() as tx:
        rows = [*containers.rows(tx)]
    found = []
    for row in rows:
        try:
            found.append(_loaded(store, place, row))
        except NoSuchContainer:
            continue  # removed meanwhile
    return found


def is_recorded(store: Store, id: str) -> bool:
    """Whether the database knows the container: one that it does not is gone, or is not made yet."""
    with store.reading() as tx:
        return any(containers.rows(tx, "id = ?", (id,)))


def _loaded(store: Store, place: Place, row: containers.Row) -> Container:
    """The container of a row, as far as its record can be read. Raises NoSuchContainer when both are gone."""
    try:
        return load(place, row.id)
    except DamagedRecord as error:
        damage = str(error)
    except NoSuchContainer:
        if not is_recorded(store, row.id):
            raise
        damage = f"{place.record(row.id)}: the container's record is missing"
    return Container(
        id=row.id, name=row.name, created=rfc3339(row.created_ns), image=row.image, chain=row.chain,
        layers=(), path="", args=(), platform="", config={}, host_config={}, damage=damage,
    )  # fmt: skip


def load(place: Place, id: str) -> Container:
    """The record of the container with this ID. Raises NoSuchContainer, DamagedRecord."""
    path = place.record(id)
    try:
        with _understood(path, "record"), open(path, "rb") as file:
            container = shape.decode(loads(file.read()))
    except FileNotFoundError:
        raise NoSuchContainer(f"No such container: {id}") from None
    if container.id != id:
        raise DamagedRecord(f"{path}: not a container's record (it is another container's)")
    return container


@contextlib.contextmanager
def _understood(path: str, what: str) -> Iterator[None]:
    try:
        yield
    except _MISREAD as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise DamagedRecord(f"{path}: not a container's {what} ({reason})") from error
    except OSError as error:
        if error.errno not in _UNREADABLE:
            raise
        raise DamagedRecord(f"{path}: {(error.strerror or str(error)).lower()}") from error


def save(place: Place, container: Container) -> None:
    """Write the record, durably. Raises OSError."""
    files.replace_file(place.record(container.id), dumps(shape.encode(container)).encode())


def state(place: Place, id: str) -> State:
    """What a container does. Of one whose monitor is gone it says that it was killed."""
    told = recorded(place, id)
    if told.running and not is_alive(place, id):
        told = recorded(place, id)  # it may have ended between the two looks
        if told.running:
            # When it ended nobody saw either: what is known is that it has.
            ended = rfc3339(time.time_ns())
            return replace(
                told, status="exited", pid=0, exit_code=KILLED, finished=ended, error=UNSEEN
            )
    return told


def is_orphaned(place: Place, id: str, told: State) -> bool:
    """Whether `told`, which `state` gave, is of a container whose monitor is gone, with nobody after it."""
    return told.exit_code == KILLED and recorded(place, id).running and not is_alive(place, id)


def recorded(place: Place, id: str) -> State:
    """The state as it was written last; that of a new container where it cannot be read."""
    try:
        return load_state(place, id)
    except DamagedRecord:
        return State()


def load_state(place: Place, id: str) -> State:
    """The same. Raises DamagedRecord when there is something else than a state."""
    path = place.state(id)
    try:
        with _understood(path, "state"), open(path, "rb") as file:
            return states.decode(loads(file.read()))
    except FileNotFoundError:
        return State()


def state_damage(place: Place, id: str) -> str:
    """Why a container's state cannot be read; "" when it can, or it has none yet."""
    try:
        load_state(place, id)
    except DamagedRecord as error:
        return str(error)
    return ""


def save_state(place: Place, id: str, told: State) -> None:
    """Write a state; for whoever holds the container's lock. Raises OSError, DiskFull.

    On a full disk it goes where the old one is: that disk may be full of what the container wrote, and it is
    to be ended and removed all the same.
    """
    data = dumps(states.encode(told)).encode()
    try:
        files.replace_file(place.state(id), data)
    except OSError as error:
        if error.errno not in files.NO_ROOM:
            raise
        try:
            overwriting.overwrite(place.state(id), data)
        except OSError:
            raise files.explain(error, f"container {id[:12]}", root=place.root) from error


def ensure_state(place: Place, id: str) -> None:
    """Have a state file where there is none yet, so that what comes next can be written over it when the disk
    is full by then; for whoever holds the container's lock. Raises OSError.

    A start waits for no disk for it: it says no more than a file that a power loss took.
    """
    path = place.state(id)
    if not os.path.exists(path):
        data = dumps(states.encode(State())).encode()
        files.replace_file(path, data, lasting=False)


def is_alive(place: Place, id: str) -> bool:
    """Whether the container's monitor lives, or a command that is about to start or remove it."""
    try:
        descriptor = files.open_lock(place.lock(id))
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        return not files.try_lock(descriptor, shared=True)
    finally:
        files.release(descriptor)
