"""Piping: the streams of a process in a container, carried between pipes and this process's own.

    standard input ─► pipe ─► process ─► pipes ─► standard output, standard error

The process has none of the host's files, and its end is its own: what it leaves in the background may hold
the pipes for as long as it likes. This process waits for its words a little, as Docker's engine does, and
leaves somebody to read on, so that it is not ended by a pipe that nobody reads.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import sys
import threading
import time
from types import TracebackType

from millefeuille.annotations import Final, Self
from millefeuille.containers.attach import OutputLost
from millefeuille.runtime.runtime import Stdio

_PIECE: Final = 1 << 16  # bytes: what a pipe holds
_READING: Final = f"import os\nos.chdir('/')\nwhile os.read(0, {_PIECE}): pass"
_PATIENCE: Final = 2.0  # seconds; moby v28, daemon/monitor.go, for the streams of an exec


class Piping:
    """The pipes, for the length of a block. `inner` is what to start the process with.

    After that `carry`, and when the process has ended `finish`.
    """

    def __init__(self, outer: Stdio) -> None:
        self._outer = outer
        self._ends: list[int] = []
        self._given = self._given_here = -1
        if outer.stdin is not None:
            self._given, self._given_here = self._pipe()
        self._outputs = [
            _Output(*self._pipe(), target, name)
            for target, name in ((outer.stdout, "stdout"), (outer.stderr, "stderr")) if target is not None
        ]

    @property
    def inner(self) -> Stdio:
        """The process's ends."""
        written = iter(output.writer for output in self._outputs)
        return Stdio(
            stdin=None if self._given < 0 else self._given,
            stdout=None if self._outer.stdout is None else next(written),
            stderr=None if self._outer.stderr is None else next(written),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for output in self._outputs:
            output.give_up()
        self._close(*self._ends)

    def carry(self) -> None:
        """The process has its ends: from here on threads copy."""
        self._close(self._given, *(output.writer for output in self._outputs))
        if self._given_here >= 0:
            # It may wait for somebody who never types, so nobody waits for it.
            threading.Thread(target=self._give, daemon=True, name="standard input").start()
            self._ends.remove(self._given_here)
        for output in self._outputs:
            output.begin()
            self._ends.remove(output.reader)

    def finish(self) -> OutputLost | None:
        """The process has ended: take what it has written, and for a time what others write on.

        Gives why some of it could not be written, None where all was, or where its reader wanted no more.
        """
        deadline = time.monotonic() + _PATIENCE
        for output in self._outputs:
            output.finish(deadline)
        return next((output.lost for output in self._outputs if output.lost is not None), None)

    def _pipe(self) -> tuple[int, int]:
        ends = os.pipe2(os.O_CLOEXEC)
        self._ends += ends
        return ends

    def _close(self, *descriptors: int) -> None:
        for descriptor in descriptors:
            if descriptor in self._ends:
                self._ends.remove(descriptor)
                os.close(descriptor)

    def _give(self) -> None:
        assert self._outer.stdin is not None  # there is a pipe for it
        with contextlib.suppress(OSError):  # nobody reads any more, or there is nothing to be read
            while data := os.read(self._outer.stdin, _PIECE):
                _write(self._given_here, data)
        os.close(self._given_here)


class _Output:
    """One stream that the process writes: what comes out of `reader` goes to `target`."""

    def __init__(self, reader: int, writer: int, target: int, name: str) -> None:
        self.reader, self.writer = reader, writer
        self.lost: OutputLost | None = None
        self._target, self._name = target, name
        self._deadline = float("inf")  # by the monotonic clock
        self._late = _PIECE  # bytes that may lie in the pipe by then
        self._wake, self._woken = os.pipe2(os.O_CLOEXEC)
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        self._thread = threading.Thread(target=self._copy, name="standard output")
        self._thread.start()

    def finish(self, deadline: float) -> None:
        self._deadline = deadline
        os.write(self._woken, b".")
        if self._thread is not None:
            self._thread.join()

    def give_up(self) -> None:
        """Let go of all; a thread that copies ends at once."""
        if self._thread is not None and self._thread.is_alive():
            self.finish(0.0)
        os.close(self._wake)
        os.close(self._woken)

    def _copy(self) -> None:
        try:
            while self._readable():
                data = os.read(self.reader, _PIECE)
                if not data:
                    return
                if time.monotonic() > self._deadline:
                    self._late -= len(data)
                _write(self._target, data)
            _drain(self.reader)
        except OSError as error:
            if error.errno != errno.EPIPE:  # or else whoever read what we write is gone
                self.lost = OutputLost.of(self._name, error)
        finally:
            os.close(self.reader)

    def _readable(self) -> bool:
        """Wait for something to be read; False when the time is over and there is nothing."""
        poll = select.poll()
        poll.register(self.reader, select.POLLIN)
        if self._deadline == float("inf"):
            poll.register(self._wake, select.POLLIN)
        while True:
            left = self._deadline - time.monotonic()
            ready = dict(poll.poll(None if left == float("inf") else max(0.0, left * 1000)))
            if self.reader in ready:
                return left > 0 or self._late > 0
            if self._wake not in ready:
                return False
            poll.unregister(self._wake)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _drain(reader: int) -> None:
    """Have a pipe read until nobody writes into it, by a process that outlives this one and keeps nothing of
    it.
    """
    words = [sys.executable, "-I", "-S", "-c", _READING]
    actions: list[tuple[int, int, str, int, int] | tuple[int, int, int]] = [
        (os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)
    ]
    actions.insert(0, (os.POSIX_SPAWN_DUP2, reader, 0))
    os.posix_spawn(words[0], words, {}, file_actions=actions, setsid=True)
