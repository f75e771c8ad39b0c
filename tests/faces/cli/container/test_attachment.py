"""Signals to a client that is attached to a container: a monitor that only listens says what came."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from millefeuille.containers.attach import Ended, Streams
from millefeuille.containers.connection import Connection
from millefeuille.faces.cli.container.attachment import attached

KEPT = {
    *("SIGCHLD", "SIGPIPE", "SIGURG"),  # news for this process
    *("SIGKILL", "SIGSTOP"),  # not to be caught
    *("SIGILL", "SIGBUS", "SIGFPE", "SIGSEGV"),  # faults
    *("SIGTTIN", "SIGTTOU"),  # what a background job gets
}


def received(*numbers: int, tty: bool = False) -> list[tuple[bytes, bytes]]:
    """The frames that come of these signals to this process, while it is attached."""
    ours, theirs = socket.socketpair()
    frames: list[tuple[bytes, bytes]] = []

    def listen() -> None:
        monitor = Connection(theirs)
        theirs.settimeout(10)
        try:
            while not frames:
                frames.extend(monitor.receive() or [(b"", b"")])
            for number in numbers:
                os.kill(os.getpid(), number)
                frames.extend(monitor.receive() or [(b"", b"")])
        finally:
            monitor.send(b"q", b"3")

    listener = threading.Thread(target=listen)
    with ours, theirs:
        listener.start()
        assert attached(Connection(ours), Streams(stdin=None, stdout=None, tty=tty)) == Ended(3, again=False)
        listener.join()
    assert frames.pop(0) == (b"a", b"")
    return frames


def test_all_signals_that_can_be_caught_are_passed_on() -> None:
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    passed = sorted({*signal.valid_signals()} - {getattr(signal, name) for name in KEPT})
    assert {signal.SIGALRM, signal.SIGIO, signal.SIGXCPU, signal.SIGRTMAX} <= {*passed}
    assert received(*passed) == [(b"k", str(int(number)).encode()) for number in passed]
    assert {number: signal.getsignal(number) for number in signal.valid_signals()} == before


def test_handlers_that_are_not_pythons_are_no_obstacle() -> None:
    script = """
import signal, socket
from millefeuille.containers.attach import Streams
from millefeuille.containers.connection import Connection
from millefeuille.faces.cli.container.attachment import attached

ours, theirs = socket.socketpair()
Connection(theirs).send(b"q", b"3")
assert signal.getsignal(signal.SIGABRT) is None
print(attached(Connection(ours), Streams(stdin=None, stdout=None)))
"""
    environment = {**os.environ, "PYTHONFAULTHANDLER": "1"}
    words = [sys.executable, "-c", script]
    said = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert (said.stdout, said.stderr) == ("Ended(code=3, again=False)\n", "")


@pytest.mark.parametrize(("tty", "kind"), [(False, b"k"), (True, b"r")])
def test_a_new_size_is_told_where_there_is_a_terminal(
    monkeypatch: pytest.MonkeyPatch, tty: bool, kind: bytes
) -> None:
    monkeypatch.setattr("millefeuille.containers.attach.Attachment.resize", _say_resized)
    assert received(signal.SIGWINCH, tty=tty)[-1][0] == kind


def _say_resized(attachment: object) -> None:
    attachment._connection.send(b"r", b"24 80")  # type: ignore[attr-defined]
