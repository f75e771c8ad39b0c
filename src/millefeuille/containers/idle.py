"""Idle: a container that does not run, kept so for as long as somebody works on it or on its root.

Overlayfs clears its work directory whenever it mounts a root: a second mount beside that of a container which
is just being started would take from it what it copies files up with.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from millefeuille import files
from millefeuille.annotations import Final, TypeVar
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.store.containers import NoSuchContainer

T = TypeVar("T")

_SHORTEST: Final = 0.001  # seconds between two looks
_LONGEST: Final = 0.02


def found_or_held(place: Place, container: Container, look: Callable[[], T | None]) -> tuple[T | None, int]:
    """What `look` finds of a container that runs, and -1; None and the container's lock where it does not:
    as long as that is open, nobody starts or removes it.

    Raises what `look` does, NoSuchContainer when it is gone, LockTimeout when somebody else has it too long.
    """
    deadline, pause = time.monotonic() + files.LOCK_TIMEOUT, _SHORTEST
    while (found := look()) is None:
        lock = _taken(place, container)
        if lock is not None:
            return None, lock
        if time.monotonic() > deadline:
            raise files.LockTimeout(
                f"container {container.short} is held by another process for more than"
                f" {files.LOCK_TIMEOUT:.0f} seconds"
            )
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST)
    return found, -1


@contextlib.contextmanager
def root(
    place: Place, container: Container, look: Callable[[], int | None],
    mounted: Callable[[], AbstractContextManager[int]],
) -> Iterator[int]:  # fmt: skip
    """A descriptor of a container's root for the length of the block: the one that `look` finds of one that
    runs, else the one that `mounted` makes, and then nobody starts it meanwhile. Raises as `found_or_held`.
    """
    descriptor, lock = found_or_held(place, container, look)
    if descriptor is not None:
        try:
            yield descriptor
        finally:
            os.close(descriptor)
        return
    try:
        with mounted() as descriptor:
            yield descriptor
    finally:
        files.release(lock)


def _taken(place: Place, container: Container) -> int | None:
    """The container's lock, held; None when somebody else has it. Raises NoSuchContainer."""
    try:
        lock = files.create(place.lock(container.id), exclusive=False)
    except FileNotFoundError:
        raise _gone(container) from None
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        lock = files.open_lock(place.lock(container.id))
    try:
        if files.try_lock(lock):
            # Whoever removed it had the lock until now.
            if not os.path.exists(place.record(container.id)):
                raise _gone(container)
            return lock
    except BaseException:
        files.release(lock)
        raise
    files.release(lock)
    return None


def _gone(container: Container) -> NoSuchContainer:
    return NoSuchContainer(f"No such container: {container.name}")
