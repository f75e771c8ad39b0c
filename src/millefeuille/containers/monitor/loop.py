"""Waiting for whatever comes next while a container runs: output, input, clients, ends of processes."""

from __future__ import annotations

import os
import select
import signal
import socket
import time

from millefeuille.containers.monitor.clients import CROWDED, Client
from millefeuille.containers.monitor.health import Health
from millefeuille.containers.monitor.holding import Holding
from millefeuille.containers.monitor.launch import Process
from millefeuille.containers.monitor.log import Log
from millefeuille.containers.monitor.statefile import StateFile

TYPE_CHECKING = False  # importing typing for that would cost half a megabyte
if TYPE_CHECKING:
    from collections.abc import Callable

    Changed = Callable[[], None]

_CHUNK = 1 << 16
_LATE_OUTPUT = 1.0  # seconds for output that comes after the end, from processes outside of the container
_INPUT_WAITING = 1 << 16  # bytes; beyond these a client's input is not read on
_UNKNOWN = 255  # the exit code of a process whose end somebody else saw
_READ, _WRITE = select.POLLIN, select.POLLOUT


class Loop:
    """What the monitor listens to. `listener` takes new clients; `changed` is called when the state has."""

    def __init__(self, listener: socket.socket, log: Log, holding: Holding, state: StateFile) -> None:
        self.clients: list[Client] = []
        self.paused = False
        self.stopping = False
        self.policy: tuple[str, int] | None = None
        self._listener = listener
        self._log = log
        self._holding = holding
        self._state = state
        self._pending = bytearray()  # input on its way to the container
        self._input_ended = False
        self._stdin_once = False
        self._wake, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

    def serve(
        self, process: Process, health: Health | None, changed: Changed, *, stdin_once: bool
    ) -> int:
        """Run until the process has ended and its output is read; its exit code, 128 + n for signal n."""
        self._pending.clear()
        self._input_ended, self._stdin_once = False, stdin_once
        streams = {process.stdout: "stdout", process.stderr: "stderr"}
        streams.pop(-1, None)
        code, deadline = self._reap(process, health, changed), float("inf")
        while code is None or (streams and time.monotonic() < deadline):
            ready = self._wait(process, streams, health, deadline)
            self._read_output(streams, ready)
            self._serve_clients(process, ready, changed)
            self._feed(process)
            if time.monotonic() >= self._holding.due and self._let_go():
                self.paused = False
                changed()
            if time.monotonic() >= self._state.due:
                self._state.again()
            if health is not None and code is None and self._check(health, ready):
                changed()
            if code is None:
                code = self._reap(process, health, changed)
                if code is not None:
                    deadline = time.monotonic() + _LATE_OUTPUT
        self._log.finish()
        return code

    def pause(self, seconds: float) -> bool:
        """Serve clients only, for a time; False as soon as the container is to be started no more."""
        end = time.monotonic() + seconds
        while not self.stopping and (left := end - time.monotonic()) > 0:
            poll = select.poll()
            self._register(poll)
            ready = dict(poll.poll(left * 1000))
            self._serve_clients(None, ready, lambda: None)
        return not self.stopping

    def dismiss(self, code: int) -> None:
        """Tell those who are attached, or wait for the next end, that the container ended with `code`, and
        will be started again: they hang up when they have read it. Who waits for the last end stays.
        """
        for client in self.clients:
            if client.attached or client.waits:
                client.send(b"n", str(code).encode())
                client.attached = client.waits = client.gives_input = False

    def farewell(self, code: int, seconds: float) -> None:
        """Tell everyone the exit code, and wait until it has been sent."""
        for client in self.clients:
            client.send(b"q", str(code).encode())
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.clients = [client for client in self.clients if client.flush()]
            slow = [client for client in self.clients if client.waiting]
            if not slow:
                return
            poll = select.poll()
            for client in slow:
                poll.register(client.connection, _WRITE)
            poll.poll(100)

    def _register(self, poll: select.poll) -> None:
        poll.register(self._listener, _READ)
        poll.register(self._wake, _READ)
        for client in self.clients:
            reads = _READ if len(self._pending) < _INPUT_WAITING else 0
            poll.register(client.connection, reads | (_WRITE if client.waiting else 0))

    def _wait(
        self, process: Process, streams: dict[int, str], health: Health | None, deadline: float
    ) -> dict[int, int]:
        poll = select.poll()
        self._register(poll)
        if not any(len(client.waiting) > CROWDED for client in self.clients):
            for descriptor in streams:
                poll.register(descriptor, _READ)
        if self._pending and process.stdin >= 0:
            wanted = _WRITE | (_READ if process.stdin in streams else 0)
            poll.register(process.stdin, wanted)
        deadline = min(deadline, self._holding.due, self._state.due)
        if health is not None:
            deadline = min(deadline, health.due)
            if health.output >= 0:
                poll.register(health.output, _READ)
        left = deadline - time.monotonic()
        return dict(poll.poll(None if left == float("inf") else max(0, left * 1000) + 1))

    def _read_output(self, streams: dict[int, str], ready: dict[int, int]) -> None:
        for descriptor in [*streams]:
            if not ready.get(descriptor, 0) & ~_WRITE:
                continue
            try:
                data = os.read(descriptor, _CHUNK)
            except BlockingIOError:
                continue
            except OSError:  # a terminal whose other end is closed
                data = b""
            if not data:
                del streams[descriptor]
                continue
            self._log.write(streams[descriptor], data)
            for client in self.clients:
                if client.attached:
                    client.send(b"o" if streams[descriptor] == "stdout" else b"x", data)

    def _serve_clients(self, process: Process | None, ready: dict[int, int], changed: Changed) -> None:
        if self._listener.fileno() in ready:
            self.clients.append(Client(self._listener.accept()[0]))
        for client in [*self.clients]:
            is_ready = ready.get(client.connection.fileno(), 0)
            frames = client.receive() if is_ready & ~_WRITE else []
            for kind, payload in frames or ():
                self._obey(client, process, kind, payload, changed)
            if frames is None or not client.flush():
                self.clients.remove(client)
                client.connection.close()
                self._input_ended |= client.gives_input
                if client.holds:
                    self._holding.lost()

    def _obey(
        self, client: Client, process: Process | None, kind: bytes, payload: bytes, changed: Changed
    ) -> None:
        if kind == b"a":
            client.attached = True
        elif kind == b"i":
            client.gives_input = True
            self._pending += payload
        elif kind == b"e":
            self._input_ended = True
        elif kind == b"r" and process is not None:
            rows, columns = payload.split()
            process.resize(int(rows), int(columns))
        elif kind == b"p":
            self.paused = payload == b"1"
            if self.paused:
                self._holding.settle()
            changed()
        elif kind == b"h":
            client.holds = payload == b"1"
        elif kind == b"s":
            self.stopping = True
        elif kind == b"k" and process is not None:
            os.kill(process.pid, int(payload))  # it is our child, and not waited for yet
        elif kind == b"c":
            client.cleans = True
        elif kind == b"w":
            client.waits = True
        elif kind == b"u":
            name, retries = payload.decode().split()
            self.policy = (name, int(retries))

    def _let_go(self) -> bool:
        if any(client.holds for client in self.clients):
            self._holding.postpone()
            return False
        return self._holding.advance()

    def _feed(self, process: Process) -> None:
        if process.stdin < 0:
            self._pending.clear()
            return
        try:
            while self._pending:
                del self._pending[: os.write(process.stdin, self._pending)]
        except BlockingIOError:
            return
        except OSError:  # nobody reads any more
            self._pending.clear()
        if self._input_ended and self._stdin_once and not process.tty:
            os.close(process.stdin)
            process.stdin = -1

    def _check(self, health: Health, ready: dict[int, int]) -> bool:
        if health.output >= 0 and health.output in ready:
            health.read()
        return time.monotonic() >= health.due and health.advance()

    def _reap(self, process: Process, health: Health | None, changed: Changed) -> int | None:
        """Take the ends of children; the container's exit code when its process is among them."""
        try:
            while os.read(self._wake, 512):
                pass
        except BlockingIOError:
            pass
        found = None
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                # Without a child there is nobody to wait for: its end was taken note of elsewhere.
                return _UNKNOWN if found is None else found
            if not pid:
                return found
            code = os.waitstatus_to_exitcode(status)
            code = 128 - code if code < 0 else code
            if pid == process.pid:
                found = code
            elif health is not None and health.ended(pid, code):
                changed()
