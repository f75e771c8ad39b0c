"""The container's process: started through the runtime, with pipes or a terminal for its streams."""

from __future__ import annotations

import array
import fcntl
import os
import signal
import socket
import struct
import time

from millefeuille.containers.monitor.order import Order

# The runtime's environment is built from nothing: none of ours may reach it, or through it a container.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
# What the monitor ignores, or its interpreter does; a program would inherit that.
IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ)
_TIOCSWINSZ = 0x5414


class NotStarted(Exception):
    """The runtime failed; why stands in its log."""


class Process:
    """A container's first process: `pid`, and our ends of its streams (-1 where there is none)."""

    def __init__(self, pid: int, stdin: int, stdout: int, stderr: int, *, tty: bool) -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.tty = tty
        self.began = time.monotonic()

    def resize(self, rows: int, columns: int) -> None:
        """Tell the terminal its size."""
        if self.tty:
            fcntl.ioctl(self.stdout, _TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self) -> None:
        """Close our ends."""
        for descriptor in {self.stdin, self.stdout, self.stderr} - {-1}:
            os.close(descriptor)


def start(order: Order, lock: int) -> Process:
    """Start the container. Raises NotStarted.

    The runtime holds the container's lock too, while it works: if the monitor is killed meanwhile, nobody
    clears away what the runtime is still making.
    """
    return _with_terminal(order, lock) if order.tty else _with_pipes(order, lock)


def spawn(
    command: list[str], stdin: int = -1, stdout: int = -1, stderr: int = -1, *, lock: int = -1
) -> int:
    """Start a program of the host's with these streams, /dev/null for -1; its process ID."""
    nothing = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    actions = [
        (os.POSIX_SPAWN_DUP2, nothing if given < 0 else given, number)
        for number, given in enumerate((stdin, stdout, stderr))
    ]
    if lock >= 0:
        actions.append((os.POSIX_SPAWN_DUP2, lock, 3))
    try:
        return os.posix_spawnp(
            command[0], command, ENVIRONMENT, file_actions=actions, setsigdef=IGNORED
        )  # fmt: skip
    finally:
        os.close(nothing)


def run(command: list[str]) -> int:
    """Run a program to its end; its exit code."""
    return os.waitstatus_to_exitcode(os.waitpid(spawn(command), 0)[1])


def _command(order: Order) -> list[str]:
    log = ["--log", f"{order.bundle}/runtime.log", "--log-format", "json"]
    files = ["--bundle", order.bundle, "--pid-file", f"{order.bundle}/pid"]
    return [*order.runtime, *log, "run", "--detach", *files]


def _with_pipes(order: Order, lock: int) -> Process:
    inner, outer = [-1, -1, -1], [-1, -1, -1]
    if order.open_stdin:
        inner[0], outer[0] = os.pipe2(os.O_CLOEXEC)
    for number in (1, 2):
        outer[number], inner[number] = os.pipe2(os.O_CLOEXEC)
    try:
        pid = spawn([*_command(order), order.id], *inner, lock=lock)
    finally:
        for descriptor in inner:
            if descriptor >= 0:
                os.close(descriptor)
    try:
        process = Process(_finish(order, pid), *outer, tty=False)
    except NotStarted:
        for descriptor in outer:
            if descriptor >= 0:
                os.close(descriptor)
        raise
    for descriptor in outer:
        if descriptor >= 0:
            os.set_blocking(descriptor, False)
    return process


def _with_terminal(order: Order, lock: int) -> Process:
    with socket.socket(socket.AF_UNIX) as listener:
        _bind(listener, order.console)
        try:
            words = [*_command(order), "--console-socket", order.console, order.id]
            pid = spawn(words, lock=lock)
            child = _finish(order, pid)
            listener.settimeout(10)
            master = _receive(listener)
        finally:
            os.unlink(order.console)
    os.set_blocking(master, False)
    return Process(child, master if order.open_stdin else -1, master, -1, tty=True)


def _bind(listener: socket.socket, path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    listener.bind(path)
    listener.listen(1)


def _receive(listener: socket.socket) -> int:
    """The terminal's descriptor, which the runtime sends through its console socket."""
    connection = listener.accept()[0]
    with connection:
        _, parts, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC)
    for level, kind, data in parts:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            return array.array("i", data[:4])[0]
    raise NotStarted


def _finish(order: Order, runtime: int) -> int:
    """Wait for the runtime to have started the container; the ID of its first process."""
    if os.waitstatus_to_exitcode(os.waitpid(runtime, 0)[1]) != 0:
        raise NotStarted
    with open(f"{order.bundle}/pid", encoding="ascii") as file:
        return int(file.read())
