"""From the order to the end of the container.

    python -I -S -c "…; main()" ORDER LOCK STATUS CLIENT

The last three are descriptors: the container's lock, a pipe that is told "started PID" or "failed" once, and
a socket of a client that is attached from the beginning (-1 for none).
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import time

from millefeuille.containers.monitor import launch, leaving, moments
from millefeuille.containers.monitor.clients import Client
from millefeuille.containers.monitor.health import Health
from millefeuille.containers.monitor.holding import Holding
from millefeuille.containers.monitor.launch import NotStarted, Process
from millefeuille.containers.monitor.log import Log
from millefeuille.containers.monitor.loop import Loop
from millefeuille.containers.monitor.order import Order
from millefeuille.containers.monitor.policy import Policy
from millefeuille.containers.monitor.statefile import StateFile
from millefeuille.containers.monitor.telling import Teller
from millefeuille.plainjson import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 15, 36
_NAME = b"mille-monitor"  # by which `runtime.userns` knows it
_FAREWELL = 5.0  # seconds for clients to take what is left for them


def main() -> None:
    """Run as an interpreter of its own; never returns."""
    path, lock, status, client = sys.argv[1], *map(int, sys.argv[2:5])
    _keep_descriptors()
    serve(path, lock, status, client)


def serve(path: str, lock: int, status: int, client: int) -> NoReturn:
    """Run in this process, which has no descriptors but these and standard streams; see above."""
    os.chdir("/")
    os.umask(0o022)  # health checks have it from us, and those of Docker have that of its daemon
    library = ctypes.CDLL(None)
    library.prctl(_PR_SET_NAME, _NAME, 0, 0, 0)
    library.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in launch.IGNORED:
        signal.signal(number, signal.SIG_IGN)
    order = Order(path)
    monitor = _Monitor(order, _listen(order.bundle), lock)
    if client >= 0:
        first = Client(socket.socket(fileno=client))
        first.attached = True
        monitor.loop.clients.append(first)
    monitor.run(status)
    os._exit(0)


def _keep_descriptors() -> None:
    """What was handed to us is for nobody we start: least of all for the container."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            try:
                os.set_inheritable(int(name), False)
            except OSError:  # that of the listing itself
                continue


def _listen(directory: str) -> socket.socket:
    """The socket for clients, bound past the limit on the length of its address."""
    listener = socket.socket(socket.AF_UNIX)
    place = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.unlink("attach.sock", dir_fd=place)
    except FileNotFoundError:
        pass
    listener.bind(f"/proc/self/fd/{place}/attach.sock")
    os.close(place)
    listener.listen(16)
    return listener


class _Monitor:
    def __init__(self, order: Order, listener: socket.socket, lock: int) -> None:
        self._state = StateFile(order.state)
        self.loop = Loop(listener, Log(**order.log), Holding(order), self._state)
        self._order = order
        self._lock = lock
        self._policy = Policy(order.policy, order.retries)
        self._health: Health | None = None
        self._process: Process | None = None
        self._began = moments.NEVER
        self._ended = order.finished
        self._code = 0
        self._oom = False
        self._error = ""
        self._teller = Teller(order)

    def run(self, status: int) -> None:
        """Start the container, again as its policy says, and tell `status` of the first start."""
        try:
            self._start()
        except (NotStarted, OSError) as error:
            os.write(status, f"failed {error}".encode())
            os._exit(1)
        assert self._process is not None
        os.write(status, f"started {self._process.pid}".encode())
        os.close(status)
        while True:
            self._serve()
            if not self._again():
                break
        self._write("exited", durable=not self._order.auto_remove)
        self._end()

    def _start(self) -> None:
        self._process = launch.start(self._order, self._lock)
        self._began, self._oom, self._error, self._code = moments.now(), False, "", 0
        if self._order.check:
            before = self._health.results if self._health else _results(self._order.state)
            self._health = Health(self._order, self._teller.tell, before)
        self._changed()
        self._teller.start()

    def _serve(self) -> None:
        assert self._process is not None
        process, order = self._process, self._order
        self._code = self.loop.serve(process, self._health, self._changed, stdin_once=order.stdin_once)
        self._ended = moments.now()
        self._oom = _killed_for_memory(order.counters)
        if self._health is not None:
            self._health.stop()
        process.close()
        self._teller.die(self._code, time.monotonic() - process.began, oom=self._oom)
        leaving.clear(order)

    def _again(self) -> bool:
        """Start the container again, if its policy says so; False when it has ended for good."""
        assert self._process is not None
        if self.loop.policy is not None:
            self._policy.name, self._policy.retries = self.loop.policy
        ran = time.monotonic() - self._process.began
        while not self.loop.stopping:
            wait = self._policy.again(self._code, ran)
            if wait is None:
                return False
            self._write("restarting")
            self.loop.dismiss(self._code)
            if not self.loop.pause(wait):
                return False
            self._order.restarts += 1
            try:
                self._start()
                return True
            except (NotStarted, OSError) as error:
                self._code, self._error, ran = 127, str(error) or "the runtime did not start it", 0.0
        return False

    def _end(self) -> None:
        """Let clients go, and clean up if none of them does."""
        self.loop.farewell(self._code, _FAREWELL)
        if self._order.cleanup and not any(client.cleans for client in self.loop.clients):
            os.close(self._lock)
            command, environment = self._order.cleanup, launch.ENVIRONMENT | self._order.environment
            os.posix_spawn(command[0], command, environment, setsid=True, setsigdef=launch.IGNORED)

    def _changed(self) -> None:
        if self._health is not None:
            self._health.halt(self.loop.paused)
        self._write("paused" if self.loop.paused else "running")

    def _write(self, status: str, *, durable: bool = False) -> None:
        alive = status in ("running", "paused")
        told = {
            "Status": status, "Running": alive or status == "restarting", "Paused": status == "paused",
            "Restarting": status == "restarting", "OOMKilled": self._oom, "Dead": False,
            "Pid": self._process.pid if alive and self._process else 0, "ExitCode": self._code,
            "Error": self._error, "StartedAt": self._began, "FinishedAt": self._ended,
            "RestartCount": self._order.restarts,
        }  # fmt: skip
        if self._health is not None:
            told["Health"] = self._health.told()
        self._state.write(dumps(told).encode(), durable=durable)


def _results(path: str) -> list[dict[str, object]]:
    """The results of checks that the state file tells of, from an earlier start."""
    try:
        with open(path, encoding="utf-8") as file:
            return list(loads(file.read())["Health"]["Log"])
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _killed_for_memory(counters: list[str]) -> bool:
    """Whether the kernel killed a process of the container for want of memory."""
    for path in counters:
        try:
            with open(path, encoding="ascii") as file:
                for line in file:
                    name, _, count = line.partition(" ")
                    if name == "oom_kill" and int(count):
                        return True
        except (OSError, ValueError):
            continue
    return False
