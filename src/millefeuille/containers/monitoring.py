"""Monitoring: the monitor's process, from the start of a container to its word that the container runs.

A container that is left alone gets an interpreter of its own, which is small. One that its command waits for
gets a copy of that command: what it needs is loaded already, and a start of an interpreter takes as long as
the runtime.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence

import millefeuille
from millefeuille import files
from millefeuille.annotations import Final, NoReturn
from millefeuille.containers.host import Host
from millefeuille.containers.monitor import main as monitor
from millefeuille.containers.record import Container
from millefeuille.runtime.invocation import failure
from millefeuille.runtime.runtime import StartFailed

_MAIN: Final = (
    "import sys; sys.path.insert(0, {path!r})\nfrom millefeuille.containers.monitor.main import main; main()"
)
_ENVIRONMENT: Final = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def start(
    host: Host, container: Container, lock: int, client: socket.socket | None, held: Sequence[int]
) -> int:
    """Start the monitor, and wait for what it says of the container's start: the ID of the first process.

    `lock` and `held` are descriptors that it keeps as long as it lives. Raises StartFailed.
    """
    told, telling = os.pipe2(os.O_CLOEXEC)
    numbers = (lock, telling, client.fileno() if client else -1)
    # Who lets go of a terminal leaves the monitor behind, which is to be small then.
    stays = client is None or bool(container.config.get("Tty"))
    files.act("spawn", container.id)
    try:
        begin = _spawned if stays else _forked
        pid = begin(host.place.order(container.id), numbers, [number for number in held if number >= 0])
    finally:
        os.close(telling)
    with open(told, "rb") as answer:
        words = answer.read().decode(errors="replace").split(" ", 1)
    if words[0] == "started":
        return int(words[1])
    os.waitpid(pid, 0)
    reason = failure(f"{host.place.bundle(container.id)}/runtime.log")
    raise StartFailed(reason or "the monitor ended early")


def _spawned(order: str, numbers: tuple[int, int, int], held: Sequence[int]) -> int:
    """An interpreter of its own, with next to nothing loaded."""
    source = os.path.dirname(os.path.dirname(millefeuille.__file__))
    words = [sys.executable, "-I", "-S", "-c", _MAIN.format(path=source), order, *map(str, numbers)]
    nothing = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    # What is put in its own place stays open in the program.
    handed = [(number, number) for number in (*numbers, *held) if number >= 0]
    actions = [(os.POSIX_SPAWN_DUP2, *pair) for pair in ((nothing, 0), (nothing, 1), (nothing, 2), *handed)]
    try:
        return os.posix_spawn(words[0], words, _ENVIRONMENT, file_actions=actions, setsid=True)
    finally:
        os.close(nothing)


def _forked(order: str, numbers: tuple[int, int, int], held: Sequence[int]) -> int:
    """This process once more, in which nothing runs on but the monitor."""
    pid = os.fork()
    if pid == 0:
        try:
            _become(order, numbers, held)
        finally:
            os._exit(1)
    return pid


def _become(order: str, numbers: tuple[int, int, int], held: Sequence[int]) -> NoReturn:
    os.setsid()
    nothing = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    # Whoever waits for the end of something that this process had open is not to wait for the copy.
    last = 2
    for number in sorted({*numbers, *held} - {-1}):
        os.closerange(last + 1, number)
        last = number
    os.closerange(last + 1, os.sysconf("SC_OPEN_MAX"))
    monitor.serve(order, *numbers)
