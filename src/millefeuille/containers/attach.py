"""A client attached to a container: its own streams joined to those of the container's process."""

from __future__ import annotations

import os
import select
import signal
import termios
from collections.abc import Callable

from millefeuille.annotations import Final
from millefeuille.containers.connection import Connection
from millefeuille.errors import Failed
from millefeuille.values import dataclass

_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """Descriptors to join, None for none. `tty`: `stdin` is a terminal that the container has too;
    `detach` are the keys that end the attachment and leave the container running.
    """

    stdin: int | None = None
    stdout: int | None = 1
    stderr: int | None = 2
    tty: bool = False
    detach: bytes = b"\x10\x11"


@dataclass(frozen=True, slots=True)
class Ended:
    """The container's process has ended with `code`; `again`: and will be started again."""

    code: int
    again: bool


class OutputLost(Failed):
    """What the container says cannot be written; it goes on, and nobody is attached any more."""

    @classmethod
    def of(cls, stream: str, error: OSError) -> OutputLost:
        """That of a standard stream, `stdout` or `stderr`, which could not be written for `error`."""
        return cls(f"write /dev/{stream}: {(error.strerror or 'failed').lower()}")


class MonitorGone(Failed):
    """The container's monitor went without a word of how the container ended: it was killed."""


class Attachment:
    """Joins streams until the container ends, or the user lets go. `woken` is a descriptor that becomes
    readable when a signal has come, None for none; `on_wake` is then called.
    """

    def __init__(
        self, connection: Connection, streams: Streams, *, woken: int | None = None,
        on_wake: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self._connection = connection
        self._streams = streams
        self._woken = woken
        self._on_wake = on_wake
        self._stdin = streams.stdin
        self._keys = b""  # the beginning of the keys that let go

    def run(self) -> Ended | None:
        """How it ended; None after letting go. Raises OutputLost, MonitorGone."""
        self._connection.send(b"a")
        if self._streams.tty:
            self.resize()
        while True:
            poll = select.poll()
            poll.register(self._connection.fileno(), select.POLLIN)
            for descriptor in (self._stdin, self._woken):
                if descriptor is not None:
                    poll.register(descriptor, select.POLLIN)
            ready = dict(poll.poll())
            if self._woken in ready and self._on_wake is not None:
                self._on_wake()
            if self._stdin in ready and not self._forward():
                return None
            if self._connection.fileno() in ready:
                frames = self._connection.receive()
                if frames is None:
                    raise MonitorGone("the container's monitor was killed")
                for kind, payload in frames:
                    if kind in (b"q", b"n"):
                        return Ended(int(payload), again=kind == b"n")
                    self._show(kind, payload)

    def resize(self) -> None:
        """Tell the container's terminal the size of ours: the one that shows what it says, or else the one
        that is typed on.
        """
        for descriptor in (self._streams.stdout, self._stdin):
            if descriptor is None:
                continue
            try:
                rows, columns = termios.tcgetwinsize(descriptor)
            except (termios.error, OSError):
                continue
            self._connection.send(b"r", f"{rows} {columns}".encode())
            return

    def signal(self, number: int) -> None:
        """Pass a signal on to the container's process."""
        if number != signal.SIGCHLD:
            self._connection.send(b"k", str(number).encode())

    def _show(self, kind: bytes, payload: bytes) -> None:
        target = self._streams.stdout if kind == b"o" else self._streams.stderr
        if target is None or kind not in (b"o", b"x"):
            return
        view = memoryview(payload)
        try:
            while view:
                view = view[os.write(target, view) :]
        except OSError as error:
            raise OutputLost.of("stdout" if kind == b"o" else "stderr", error) from None

    def _forward(self) -> bool:
        """Send what was typed; False for the keys that let go."""
        assert self._stdin is not None
        try:
            data = os.read(self._stdin, _CHUNK)
        except OSError:
            data = b""
        if not data:
            self._connection.send(b"e")
            self._stdin = None
            return True
        if self._streams.tty and self._streams.detach:
            data, let_go = self._without_keys(data)
            if let_go:
                return False
        if data:
            self._connection.send(b"i", data)
        return True

    def _without_keys(self, data: bytes) -> tuple[bytes, bool]:
        """What is input, and whether the keys that let go were pressed; a beginning of these waits."""
        keys, passed = self._streams.detach, b""
        for number in data:
            self._keys += bytes((number,))
            if self._keys == keys:
                return passed, True
            if not keys.startswith(self._keys):
                passed += self._keys
                self._keys = b""
        return passed, False
