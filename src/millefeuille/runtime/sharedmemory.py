"""Shared memory: the /dev/shm of a running container, for another one that joins its IPC namespace.

That file system is mounted in the other container's mount namespace only. A child process goes there and
hands out a copy of the mount, which is then attached in the namespace of the caller.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from millefeuille import files, kernel
from millefeuille.errors import Failed


class CannotShare(Failed):
    """The other container's shared memory cannot be reached."""


def attach(pid: int, place: str) -> dict[str, Any]:
    """Attach at `place`, a directory, what process `pid` has at /dev/shm; the mount for whoever joins it.

    Raises CannotShare.
    """
    mount = _copied(pid)
    files.act("mount", place)
    try:
        kernel.move_mount(mount, place)
    except OSError as error:
        raise CannotShare(f"share memory with process {pid}: {error.strerror}") from None
    finally:
        os.close(mount)
    return {"destination": "/dev/shm", "type": "bind", "source": place, "options": ["rbind", "rprivate"]}


def _copied(pid: int) -> int:
    """A detached copy of the mount, from a child: whoever changes namespaces does not come back."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        child = os.fork()
        if child == 0:
            _hand_out(pid, theirs)
        theirs.close()
        message, descriptors, _, _ = socket.recv_fds(ours, 256, 1)
        os.waitpid(child, 0)
    if not descriptors:
        raise CannotShare(f"share memory with process {pid}: {message.decode(errors='replace')}")
    os.set_inheritable(descriptors[0], False)
    return descriptors[0]


def _hand_out(pid: int, answer: socket.socket) -> None:
    """In the child. Nothing may be imported from here on: it would come from the container."""
    try:
        namespace = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        kernel.enter_namespace(namespace, kernel.CLONE_NEWNS)
        copy = kernel.open_tree("/dev/shm")
        socket.send_fds(answer, [b"\0"], [copy])
    except OSError as error:
        answer.send(str(error.strerror).encode())
    finally:
        os._exit(0)
