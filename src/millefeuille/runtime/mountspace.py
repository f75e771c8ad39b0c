"""A mount namespace for one piece of work: what it mounts nobody else sees, and nothing of it is left."""

from __future__ import annotations

import threading
from collections.abc import Callable

from millefeuille import kernel
from millefeuille.annotations import Final, TypeVar
from millefeuille.errors import Denied

T = TypeVar("T")
_BEGINNING: Final = 1.0  # seconds for a thread to begin, if it was started at all


class NamespaceDenied(Denied):
    """This process may not make a mount namespace."""


def privately(work: Callable[[], T], leave: Callable[[], None] = lambda: None) -> T:
    """Do `work` in a thread with mounts of its own, and hand on what it returns or raises.

    The processes it starts share the namespace, and it is gone with the last of them, however they end.
    Signals are handled by the caller's thread as ever. When the handler of one raises, `leave` is to let
    the work end soon, and it is over before that is raised here. Raises NamespaceDenied.
    """
    results: list[T] = []
    failures: list[BaseException] = []
    # A thread that is joined counts as over, in Python 3.11, once a handler has raised in there.
    begun, over = threading.Event(), threading.Event()

    def enter() -> None:
        begun.set()
        try:
            _leave_hosts_mounts()
            results.append(work())
        except BaseException as error:
            failures.append(error)
        finally:
            over.set()

    thread = threading.Thread(target=enter, name="mounts")
    try:
        thread.start()
        over.wait()
    except Exception:  # there are no more threads
        raise
    except BaseException:
        leave()
        if begun.wait(_BEGINNING):
            over.wait()
        raise
    thread.join()
    if failures:
        raise failures[0]
    return results[0]


def _leave_hosts_mounts() -> None:
    try:
        kernel.unshare(kernel.CLONE_NEWNS)
        # What the host unmounts later must go here too, what is mounted here must not go there.
        kernel.mount_setattr("/", propagation=kernel.MS_SLAVE, recursive=True)
    except PermissionError:
        raise NamespaceDenied(
            "a mount namespace: not permitted", advice="Running containers needs root."
        ) from None
