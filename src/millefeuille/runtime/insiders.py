"""Insiders: an ordinary user's commands that are in its user namespace, as those that start find them.

    /run/user/<uid>/millefeuille/insiders    a line for each: its process ID, and when it began
    <root>/insiders                          where the system gives the user no such directory

One command at a time looks for a namespace, goes in or makes one, and adds itself: two that start together
would each make one, and neither would reach the other's containers.

Source: Linux flock(2), proc(5).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.errors import MilleError

_NAME: Final = "insiders"
_PATIENCE: Final = 10.0  # seconds; a namespace is made in some hundredths of one
_START: Final = 19  # of the fields in /proc/<pid>/stat behind the name


@contextlib.contextmanager
def met(root: str) -> Iterator[tuple[int, ...]]:
    """Hold the list for the length of the block: the IDs of the processes on it that run, none when it cannot
    be had. This process is added at the end of a block that raises nothing.
    """
    descriptor = _locked(root)
    if descriptor < 0:
        yield ()
        return
    try:
        living = [line for line in _lines(descriptor) if line and line == _line(line.partition(" ")[0])]
        yield tuple(int(line.partition(" ")[0]) for line in living)
        with contextlib.suppress(OSError):  # on a full disk nothing starts anyway
            text = "".join(f"{line}\n" for line in (*living, _line(str(os.getpid()))))
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, text.encode(), 0)
    finally:
        files.release(descriptor)


def _locked(root: str) -> int:
    """The list, opened and held; -1 where it cannot be: an own namespace is better than none."""
    descriptor = -1
    try:
        path = os.path.join(_place(root), _NAME)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        files.lock(descriptor, path, timeout=_PATIENCE)
    except (OSError, MilleError):
        if descriptor >= 0:
            os.close(descriptor)
        return -1
    return descriptor


def _place(root: str) -> str:
    # Not as the environment has it: sessions differ in that, and are to meet.
    system = f"/run/user/{os.getuid()}"
    with contextlib.suppress(OSError):
        if os.stat(system).st_uid == os.getuid():
            files.make_directory(f"{system}/millefeuille")
            return f"{system}/millefeuille"
    return root


def _lines(descriptor: int) -> list[str]:
    return os.pread(descriptor, 1 << 20, 0).decode("ascii", "replace").splitlines()


def _line(pid: str) -> str:
    """What stands for a process that runs; "" for one that does not. An ID alone may be another's later."""
    try:
        with open(f"/proc/{int(pid)}/stat", "rb") as file:
            return f"{pid} {int(file.read().rpartition(b')')[2].split()[_START])}"
    except (OSError, ValueError, IndexError):
        return ""
