"""A mount namespace for one piece of work: what it mounts nobody else sees, and nothing of it is left."""

from __future__ import annotations

import threading
from collections.abc import Callable

from millefeuille import kernel
from millefeuille.annotations import TypeVar
from millefeuille.errors import Denied

T = TypeVar("T")


class NamespaceDenied(Denied):
    """This process may not make a mount namespace."""


def privately(work: Callable[[], T]) -> T:
    """Do `work` in a thread with mounts of its own, and hand on what it returns or raises.

    The processes it starts share the namespace, and it is gone with the last of them, however they end.
    Signals are handled by the caller's thread as ever. Raises NamespaceDenied.
    """
    results: list[T] = []
    failures: list[BaseException] = []

    def enter() -> None:
        try:
            try:
                kernel.unshare(kernel.CLONE_NEWNS)
                # What the host unmounts later must go here too, what is mounted here must not go there.
                kernel.mount_setattr("/", propagation=kernel.MS_SLAVE, recursive=True)
            except PermissionError:
                raise NamespaceDenied(
                    "a mount namespace: not permitted", advice="Running containers needs root."
                ) from None
            results.append(work())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=enter, name="mounts")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]
